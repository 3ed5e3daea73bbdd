"""Find EXIF, XMP and IPTC in a file, as the bytes that stand there."""

from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, cast

from msgspec import Struct
from PIL.Image import Image
from PIL.ImageFile import ImageFile

from libs.imaging.containers.avif_exif import find_exif
from libs.imaging.containers.tiff import page_offset
from libs.imaging.errors import ImageTruncated, UnreadableImage
from libs.imaging.limits import MAX_TEXT_BYTES
from libs.imaging.metadata.tag_numbers import IPTC_TAG, PHOTOSHOP_TAG, XMP_TAG
from libs.imaging.metadata.tiff_block import LONG, Block, ByteOrder, Tag, read_block
from libs.imaging.pillow_adapter import translated_errors

_PIXEL_DATA = {273, 279, 324, 325, 512, 513, 519, 520, 521, 34_675, 37_724}
"""Tags of a TIFF that lead to pixels, hold the colour profile, or hold Photoshop's layers."""

_IPTC_RESOURCE = 0x0404
_DATASET = 0x1C  # the first byte of each IPTC dataset


class MetadataBlocks(Struct, frozen=True, kw_only=True):
    """The metadata of a file, not yet interpreted; None is missing or cannot be read."""

    exif: Block | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None  # the datasets alone
    damaged: bool = False  # the file has EXIF that cannot be read


def read_blocks(image: ImageFile, source: Path) -> MetadataBlocks:
    """Read the metadata of `source`, which is open as `image`.

    A PNG may have metadata after its pixels, so it is decoded.

    Raises:
        TooMuchMetadata: The EXIF block of an AVIF is too large.
        OutOfMemory: The pixels of a PNG do not fit into memory.
    """
    if image.format == "TIFF":
        return _read_tiff(image, source)
    if image.format == "PNG":
        _decode(image)
    exif, damaged = _read_avif(source) if image.format == "AVIF" else _read_exif(image)
    return MetadataBlocks(exif=exif, xmp=_xmp(image), iptc=_iptc(image), damaged=damaged)


def read_exif(image: Image) -> Block | None:
    """Return the EXIF of an open image that is neither a TIFF nor an AVIF. A PNG without any is decoded.

    Raises:
        OutOfMemory: The pixels of a PNG do not fit into memory.
    """
    return _read_exif(image)[0]


def _read_exif(image: Image) -> tuple[Block | None, bool]:
    """Return EXIF, and whether it is there but cannot be read."""
    if image.format == "PNG" and "exif" not in image.info:  # it may stand behind the pixels
        _decode(image)
    return _parsed(_exif_bytes(image))


def _decode(image: Image) -> None:
    """Decode an image as far as it is not damaged."""
    try:
        with translated_errors():
            image.load()
    except (ImageTruncated, UnreadableImage):
        pass


def _parsed(raw: bytes | None) -> tuple[Block | None, bool]:
    block = read_block(_without_prefix(raw)) if raw else None
    return block, bool(raw) and block is None


def _read_tiff(image: ImageFile, source: Path) -> MetadataBlocks:
    """Read the tags of the page at which the image is; XMP and IPTC are tags too."""
    with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        at = page_offset(data, image.tell())
        block = read_block(data, at, skip=_PIXEL_DATA)
    if block is None:
        return MetadataBlocks(damaged=True)
    block.root.tags = [tag for tag in block.root.tags if len(tag.data) <= MAX_TEXT_BYTES]
    xmp, iptc, photoshop = (block.root.find(number) for number in (XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG))
    records = _iptc_of_tag(iptc, block.order) if iptc else None
    if records is None and photoshop:
        records = _photoshop_resource(photoshop.data, _IPTC_RESOURCE)
    return MetadataBlocks(exif=block, xmp=xmp.data.rstrip(b"\0") if xmp else None, iptc=records)


def _read_avif(source: Path) -> tuple[Block | None, bool]:
    with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        item = find_exif(data)
    return _parsed(item.payload) if item else (None, False)


def _exif_bytes(image: Image) -> bytes | None:
    found = image.info.get("exif")
    if isinstance(found, bytes):
        return found
    return _raw_profile(image, "exif")


def _raw_profile(image: Image, kind: str) -> bytes | None:
    """Return a block that ImageMagick wrote into a text of a PNG: a name, a length and hexadecimal digits."""
    text = image.info.get(f"Raw profile type {kind}")
    if not isinstance(text, str):
        return None
    try:
        return bytes.fromhex("".join(text.split("\n")[3:]))
    except ValueError:
        return None


def _without_prefix(raw: bytes) -> bytes:
    while raw.startswith(b"Exif\0\0"):
        raw = raw[6:]
    return raw


def _xmp(image: ImageFile) -> bytes | None:
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or _raw_profile(image, "xmp")
    if isinstance(xmp, str):
        xmp = xmp.encode()
    return xmp.rstrip(b"\0") or None if isinstance(xmp, bytes) else None


def _iptc(image: ImageFile) -> bytes | None:
    blocks = image.info.get("photoshop")
    records = cast(dict[int, Any], blocks).get(_IPTC_RESOURCE) if isinstance(blocks, dict) else None
    if isinstance(records, bytes):
        return records
    raw = _raw_profile(image, "iptc")
    return _photoshop_resource(raw, _IPTC_RESOURCE) or raw if raw else None


def _iptc_of_tag(tag: Tag, order: ByteOrder) -> bytes | None:
    """Return the datasets of a TIFF tag.

    Photoshop and ExifTool store the bytes as LONG without regard to the byte order; libtiff swaps them.
    """
    data = tag.data
    if tag.kind == LONG and data[0] != _DATASET and data[3] == _DATASET:
        data = b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4))
    return data if data[0] == _DATASET else None


def _photoshop_resource(data: bytes, wanted: int) -> bytes | None:
    """Return a resource of a sequence of Photoshop's image resource blocks."""
    at = 0
    data = data.removeprefix(b"Photoshop 3.0\0")
    while data[at : at + 4] == b"8BIM" and at + 12 <= len(data):
        number = int.from_bytes(data[at + 4 : at + 6], "big")
        name_bytes = 1 + data[at + 6]
        at += 6 + name_bytes + name_bytes % 2
        length = int.from_bytes(data[at : at + 4], "big")
        at += 4
        if number == wanted:
            return data[at : at + length]
        at += length + length % 2
    return None
