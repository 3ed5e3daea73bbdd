"""AVIF: boxes, of which the size properties are read."""

import struct
from mmap import mmap

from libs.imaging.containers.shape import Shape
from libs.imaging.errors import ImageTruncated

MAX_BOXES = 10_000
"""Boxes at the top level; real files have four."""


def is_whole(data: mmap) -> bool:
    """Tell whether the last box ends where the file does, or before."""
    return _meta(data)[1]


def measure(data: mmap) -> Shape:
    """Read the greatest size among the items: that of the picture itself, not of its tiles.

    Raises:
        ImageTruncated: The file ends before any size is told.
    """
    meta, _ = _meta(data)
    largest = Shape(0, 0)
    at = meta.find(b"ispe")
    while 0 <= at <= len(meta) - 16:
        width, height = struct.unpack_from(">II", meta, at + 8)
        largest = max(largest, Shape(width, height), key=lambda shape: shape.width * shape.height)
        at = meta.find(b"ispe", at + 4)
    if not largest.width or not largest.height:
        raise ImageTruncated
    return largest


def _meta(data: mmap) -> tuple[bytes, bool]:
    """Give what describes the items, and whether every box is whole."""
    at, meta = 0, b""
    for _ in range(MAX_BOXES):
        if at + 8 > len(data):
            break
        length, name = struct.unpack_from(">I4s", data, at)
        if length == 1 and at + 16 <= len(data):
            (length,) = struct.unpack_from(">Q", data, at + 8)
        if length == 0:  # up to the end of the file
            length = len(data) - at
        if name == b"meta":
            meta = data[at : at + length]
        at += max(length, 8)
    return meta, at <= len(data)
