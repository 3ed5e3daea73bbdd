"""AVIF: top-level boxes and the image size properties (ISO/IEC 14496-12 and 23008-12)."""

import struct
from mmap import mmap

from libs.imaging.containers.shape import Shape
from libs.imaging.errors import ImageTruncated

MAX_BOXES = 10_000
"""Limit of boxes at the top level; real files have four."""


def is_complete(data: mmap) -> bool:
    """Return whether no box reaches beyond the end of the file."""
    return _read_meta_box(data)[1]


def measure(data: mmap) -> Shape:
    """Read the largest size among the items, which is that of the picture and not of one of its tiles.

    Raises:
        ImageTruncated: The file has no size property, because it ends too early.
    """
    meta, _ = _read_meta_box(data)
    largest = Shape(0, 0)
    at = meta.find(b"ispe")
    while 0 <= at <= len(meta) - 16:
        width, height = struct.unpack_from(">II", meta, at + 8)
        largest = max(largest, Shape(width, height), key=lambda shape: shape.width * shape.height)
        at = meta.find(b"ispe", at + 4)
    if not largest.width or not largest.height:
        raise ImageTruncated
    return largest


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
