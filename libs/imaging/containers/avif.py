"""AVIF: top-level boxes and the image size properties (ISO/IEC 14496-12 and 23008-12)."""

import struct
from collections.abc import Iterator
from mmap import mmap

from libs.imaging.containers.iso_boxes import boxes
from libs.imaging.containers.shape import Shape
from libs.imaging.errors import ImageTruncated

MAX_BOXES = 10_000
"""Limit of boxes at the top level; real files have four."""

_TRACK_SIZE_AT = 4 + 24  # after the name of a sample entry


def is_complete(data: mmap) -> bool:
    """Return whether no box reaches beyond the end of the file."""
    return _read_meta_box(data)[1]


def measure(data: mmap) -> Shape:
    """Read the largest size among the items and tracks: that of the picture and not of one of its tiles.

    Raises:
        ImageTruncated: The file has no size property, because it ends too early.
    """
    largest = max(_sizes(data), key=lambda shape: shape.width * shape.height, default=Shape(0, 0))
    if not largest.width or not largest.height:
        raise ImageTruncated
    return largest


def _sizes(data: mmap) -> Iterator[Shape]:
    """Yield the sizes of items, and those of a sequence's tracks (14496-12, 12.1.3)."""
    meta, _ = _read_meta_box(data)
    at = meta.find(b"ispe")
    while 0 <= at <= len(meta) - 16:
        yield Shape(*struct.unpack_from(">II", meta, at + 8))
        at = meta.find(b"ispe", at + 4)
    moov = next((box for box in boxes(data, 0, len(data)) if box.name == b"moov"), None)
    at = data.find(b"av01", moov.start, moov.end) if moov else -1
    while moov and 0 <= at <= moov.end - _TRACK_SIZE_AT - 4:
        yield Shape(*struct.unpack_from(">HH", data, at + _TRACK_SIZE_AT))
        at = data.find(b"av01", at + 4, moov.end)


def _read_meta_box(data: mmap) -> tuple[bytes, bool]:
    """Return the `meta` box, which describes the items, and whether all boxes are complete."""
    at, meta = 0, b""
    for _ in range(MAX_BOXES):
        if at + 8 > len(data):
            break
        length, name = struct.unpack_from(">I4s", data, at)
        if length == 1 and at + 16 <= len(data):
            (length,) = struct.unpack_from(">Q", data, at + 8)
        if length == 0:  # the box extends to the end of the file
            length = len(data) - at
        if name == b"meta":
            meta = data[at : at + length]
        at += max(length, 8)
    return meta, at <= len(data)
