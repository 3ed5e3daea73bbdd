"""Remove metadata from a file without re-encoding its pixels."""

import shutil
import struct
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

from libs.imaging.containers import jpeg, jxl
from libs.imaging.orientation import UPRIGHT
from libs.imaging.pillow_adapter import open_image
from libs.imaging.plan import Plan

_JPEG_KEPT_APPS = {0xE0, 0xE2, 0xEE}  # JFIF, colour profile, Adobe's colour transform
_PNG_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP sBIT bKGD pHYs acTL fcTL fdAT".split()
)
_WEBP_DROPPED = {b"EXIF", b"XMP "}
_WEBP_METADATA_FLAGS = 0x08 | 0x04  # EXIF and XMP
_METADATA_KEYS = {"exif", "xmp", "comment", "XML:com.adobe.xmp", "photoshop"}  # in Pillow's `info`


def copy_without_metadata(source: Path, target: Path, plan: Plan) -> None:
    """Overwrite `target` with the source's bytes, without metadata unless the plan keeps it.

    Leave `target` alone if the metadata cannot be removed, if it has an orientation that the image needs, or
    if the plan asks for a resolution.
    """
    if plan.output.dpi is not None:
        return
    if plan.output.metadata == "keep":
        shutil.copyfile(source, target)
        return
    if plan.output.metadata != "strip" or plan.facts.orientation != UPRIGHT:
        return
    name = plan.facts.format
    if name in {"jpeg", "png", "webp"}:
        with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            pieces = {"jpeg": _strip_jpeg, "png": _strip_png, "webp": _strip_webp}[name](data)
            with target.open("wb") as result:
                result.writelines(pieces)
        return
    with open_image(source, name) as image:
        has_metadata = bool(_METADATA_KEYS & set(image.info))
    if name == "jxl":
        has_metadata = not jxl.only_pixels(source.read_bytes())  # also in compressed boxes
    if not has_metadata:
        shutil.copyfile(source, target)


def _strip_jpeg(data: mmap) -> Iterator[bytes]:
    yield data[:2]
    in_scans = False
    for marker, start, end in jpeg.segments_with_data(data):
        in_scans = in_scans or marker == jpeg.SOS
        is_metadata = 0xE0 <= marker <= 0xEF or marker == 0xFE  # APPn or COM
        if in_scans or marker in _JPEG_KEPT_APPS or not is_metadata:
            if marker == 0xE2 and data[start + 4 : start + 15] != b"ICC_PROFILE":
                continue  # an index of several pictures in one file (MPF)
            yield data[start:end]
    yield b"\xff\xd9"


def _strip_png(data: mmap) -> Iterator[bytes]:
    yield data[:8]
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name in _PNG_KEPT:
            yield data[at : at + 12 + length]
        if name == b"IEND":
            return
        at += 12 + length


def _strip_webp(data: mmap) -> Iterator[bytes]:
    end = min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    kept: list[bytes] = []
    at = 12
    while at + 8 <= end:
        name, length = struct.unpack_from("<4sI", data, at)
        chunk = bytearray(data[at : at + 8 + length + (length & 1)])
        if name == b"VP8X":
            chunk[8] &= ~_WEBP_METADATA_FLAGS
        if name not in _WEBP_DROPPED:
            kept.append(bytes(chunk))
        at += 8 + length + (length & 1)
    body = b"WEBP" + b"".join(kept)
    yield b"RIFF" + struct.pack("<I", len(body)) + body
