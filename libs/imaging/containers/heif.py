"""HEIC and other HEIF: the sizes and the bytes of the pictures (ISO/IEC 23008-12).

A file holds any number of pictures, of which one is the primary one; a large one is a grid of tiles. What
belongs to a picture, such as a depth map, a gain map or a thumbnail, is not counted.
"""

import struct
from collections.abc import Iterator
from mmap import mmap

from libs.imaging.containers import hevc
from libs.imaging.containers.iso_boxes import Box, boxes
from libs.imaging.containers.iso_items import Items, find_meta, read_item, read_items
from libs.imaging.containers.shape import Buffer, Shape
from libs.imaging.errors import FeatureNotSupported, ImageTruncated, UnreadableImage
from libs.imaging.limits import MAX_TEXT_BYTES, check_metadata

PADDING = 63
"""How much larger than shown a picture may be stored on every side, in pixels: HEVC codes whole blocks."""

_DESCRIBES = b"cdsc"
_XMP = b"application/rdf+xml"
_WIDE_GRID = 1  # flag: the size has 32 bits


def is_complete(data: mmap) -> bool:
    """Return whether every item ends within the file."""
    try:
        meta = find_meta(data)
        items = read_items(data, meta) if meta else None
    except (struct.error, LookupError):
        return False
    return items is not None and all(
        extent.start + extent.length <= len(data) for extents in items.extents.values() for extent in extents
    )


def measure(data: mmap) -> Shape:
    """Read the size of the primary picture as it is shown: cut out and turned as its properties say.

    Raises:
        ImageTruncated: The file ends before the sizes.
        FeatureNotSupported: The file has no still picture.
        UnreadableImage: The primary picture has no size.
    """
    items = _read(data)
    width = height = 0
    for box in items.properties.get(items.primary, ()):
        if box.name == b"ispe":
            width, height = struct.unpack_from(">II", data, box.start + 4)
        elif box.name == b"clap":
            width, height = _clean_aperture(data, box)
        elif box.name == b"irot" and data[box.start] & 1:
            width, height = height, width
    return Shape(width, height)


def allocated_sizes(data: mmap) -> Iterator[Shape]:
    """Yield the sizes for which a decoder may allocate memory: of items, of grids, and as coded."""
    items = _read(data)
    for properties in items.properties.values():
        for box in properties:
            if box.name == b"ispe":
                yield Shape(*struct.unpack_from(">II", data, box.start + 4))
            elif box.name == b"hvcC":
                yield from _coded(data, box)
    for item, kind in items.types.items():
        if kind in {b"grid", b"iovl"} and item in items.extents:
            yield _derived(data, items, item, overlay=kind == b"iovl")


def read_metadata(data: bytes) -> tuple[bytes, bytes]:
    """Return EXIF, beginning with its byte order, and XMP of the primary picture; empty if there is none.

    Raises:
        TooMuchMetadata: One of them is too large.
    """
    items = _read(data)
    exif = xmp = b""
    for item in _describing(items):
        kind, mime = items.types[item], items.mimes.get(item, b"").split(b"\0")
        if kind == b"Exif" and not exif:
            content = read_item(data, items, item, MAX_TEXT_BYTES + 1)
            exif = content[4 + int.from_bytes(content[:4], "big") :]
            check_metadata("text", len(content))
        elif kind == b"mime" and mime[0] == _XMP and not any(mime[1:]) and not xmp:
            xmp = read_item(data, items, item, MAX_TEXT_BYTES + 1)
            check_metadata("text", len(xmp))
    return exif, xmp


def _describing(items: Items) -> Iterator[int]:
    """Yield the items that describe the primary picture, then those that describe nothing in particular."""
    described = {
        reference.source: reference.targets for reference in items.references if reference.kind == _DESCRIBES
    }
    yield from (item for item in items.types if items.primary in described.get(item, ()))
    yield from (item for item in items.types if item not in described)


def without_metadata(data: bytes) -> bytes:
    """Return a file of the same pictures in which a decoder finds no metadata.

    pi-heif reads all of it when it opens a file, and crashes if a MIME type is not in UTF-8.
    """
    changed = bytearray(data)
    for reference in _read(data).references:
        if reference.kind == _DESCRIBES:
            changed[reference.kind_at : reference.kind_at + 4] = b"free"
    return bytes(changed)


def _read(data: Buffer) -> Items:
    try:
        meta = find_meta(data)
        if meta is None:
            if any(box.name == b"moov" for box in boxes(data, 0, len(data))):
                raise FeatureNotSupported("an HEIC sequence without a still picture")
            raise ImageTruncated
        if meta.end - meta.start < 4 or meta.cut:
            raise ImageTruncated
        return read_items(data, meta)
    except (struct.error, LookupError) as error:
        raise UnreadableImage("its header is damaged") from error


def _coded(data: mmap, box: Box) -> list[Shape]:
    try:
        return hevc.coded_sizes(data, box)
    except (LookupError, ImageTruncated) as error:
        raise UnreadableImage("its header is damaged") from error


def _clean_aperture(data: mmap, box: Box) -> tuple[int, int]:
    """Return the size of a clean aperture (ISO/IEC 14496-12, 12.1.4), rounded as libheif does."""
    wide, wide_by, high, high_by = struct.unpack_from(">4I", data, box.start)
    if not wide_by or not high_by:
        raise UnreadableImage("its header is damaged")
    return round(wide / wide_by), round(high / high_by)


def _derived(data: mmap, items: Items, item: int, *, overlay: bool) -> Shape:
    """Read the size of a grid or an overlay (6.6.2.3)."""
    extents = items.extents[item]
    at = extents[0].start if extents else len(data)
    wide = ">II" if data[at + 1 : at + 2] and data[at + 1] & _WIDE_GRID else ">HH"
    try:
        return Shape(*struct.unpack_from(wide, data, at + (10 if overlay else 4)))
    except struct.error as error:
        raise ImageTruncated from error
