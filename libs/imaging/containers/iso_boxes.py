"""The boxes of AVIF, HEIC and JPEG XL (ISO/IEC 14496-12)."""

import struct
from collections.abc import Iterator
from mmap import mmap
from typing import NamedTuple

_MAX_BOXES = 10_000


class Box(NamedTuple):
    """One box of a file."""

    name: bytes
    start: int  # of its contents
    end: int
    cut: bool = False  # it reaches beyond that


def boxes(data: mmap | bytes, at: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two offsets, as far as they are complete.

    Raises:
        struct.error: The length of a box is cut off.
    """
    for _ in range(_MAX_BOXES):
        if at + 8 > end:
            return
        length, name = struct.unpack_from(">I4s", data, at)
        head = 8
        if length == 1:
            head, (length,) = 16, struct.unpack_from(">Q", data, at + 8)
        if length == 0:  # the box extends to the end of the file
            length = end - at
        if length < head:
            return
        yield Box(name, at + head, min(at + length, end), at + length > end)
        at += length
