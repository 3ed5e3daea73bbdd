"""Taking metadata out of a file without touching its pixels."""

import shutil
import struct
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

from libs.imaging.containers import jpeg
from libs.imaging.orientation import UPRIGHT
from libs.imaging.pillow_adapter import opened
from libs.imaging.plan import Plan

_JPEG_APPS = {0xE0, 0xE2, 0xEE}  # JFIF, colour profile, Adobe's colour transform
_PNG_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP sBIT bKGD pHYs acTL fcTL fdAT".split()
)
_WEBP_DROPPED = {b"EXIF", b"XMP "}
_WEBP_FLAGS = 0x08 | 0x04  # of EXIF and XMP
_TELLING = {"exif", "xmp", "comment", "XML:com.adobe.xmp", "photoshop"}


def copy_without_metadata(source: Path, target: Path, plan: Plan) -> bool:
    """Overwrite `target` by the source's bytes, less its metadata unless that is to be kept.

    Gives False, and leaves `target` as it is, where the metadata cannot be taken out, or has to turn the
    image.
    """
    if plan.output.metadata == "keep":
        shutil.copyfile(source, target)
        return True
    if plan.output.metadata != "strip" or plan.facts.orientation != UPRIGHT:
        return False
    name = plan.facts.format
    if name in {"jpeg", "png", "webp"}:
        with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            pieces = {"jpeg": _of_jpeg, "png": _of_png, "webp": _of_webp}[name](data)
            with target.open("wb") as result:
                result.writelines(pieces)
        return True
    with opened(source, name) as image:
        if _TELLING & set(image.info):
            return False
    shutil.copyfile(source, target)
    return True


def _of_jpeg(data: mmap) -> Iterator[bytes]:
    yield data[:2]
    scanning = False
    for kind, start, end in jpeg.pieces(data):
        scanning = scanning or kind == jpeg.SCAN
        if scanning or kind in _JPEG_APPS or not (0xE0 <= kind <= 0xEF or kind == 0xFE):
            if kind == 0xE2 and data[start + 4 : start + 15] != b"ICC_PROFILE":
                continue  # several pictures in one file
            yield data[start:end]
    yield b"\xff\xd9"


def _of_png(data: mmap) -> Iterator[bytes]:
    yield data[:8]
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name in _PNG_KEPT:
            yield data[at : at + 12 + length]
        if name == b"IEND":
            return
        at += 12 + length


def _of_webp(data: mmap) -> Iterator[bytes]:
    end = min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    kept: list[bytes] = []
    at = 12
    while at + 8 <= end:
        name, length = struct.unpack_from("<4sI", data, at)
        chunk = bytearray(data[at : at + 8 + length + (length & 1)])
        if name == b"VP8X":
            chunk[8] &= ~_WEBP_FLAGS
        if name not in _WEBP_DROPPED:
            kept.append(bytes(chunk))
        at += 8 + length + (length & 1)
    body = b"WEBP" + b"".join(kept)
    yield b"RIFF" + struct.pack("<I", len(body)) + body
