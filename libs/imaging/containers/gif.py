"""GIF: the blocks up to the trailer (GIF89a specification)."""

import re
import struct
from mmap import mmap
from typing import NamedTuple

from libs.imaging.containers.shape import Shape
from libs.imaging.errors import UnreadableImage

MAX_BLOCKS = 1_000_000
"""Limit of blocks; a 50 MB file holds about 200,000, so only a hostile file has more."""

_TRAILER, _EXTENSION = 0x3B, 0x21
_NEXT_BLOCK = re.compile(rb"[\x21\x2c\x3b]")


class Blocks(NamedTuple):
    """What the blocks of a GIF say."""

    shape: Shape
    complete: bool  # the trailer was reached


def read_blocks(data: mmap, max_frames: int) -> Blocks:
    """Read all blocks, or stop after one frame more than `max_frames`.

    The size is that of the logical screen, extended by every frame that reaches beyond it.

    Raises:
        UnreadableImage: There are more than `MAX_BLOCKS` blocks.
    """
    if len(data) < 13:
        return Blocks(Shape(0, 0, 0), complete=False)
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    blocks = _BlockReader(data, 13 + _palette_bytes(flags))
    frames = 0
    try:
        while frames <= max_frames and (kind := blocks.next_kind()) != _TRAILER:
            if kind == _EXTENSION:
                blocks.skip(2)
                continue
            left, top, frame_width, frame_height, flags = struct.unpack_from("<HHHHB", data, blocks.at + 1)
            width, height = max(width, left + frame_width), max(height, top + frame_height)
            frames += 1
            blocks.skip(11 + _palette_bytes(flags))
    except (IndexError, struct.error):
        return Blocks(Shape(width, height, frames), complete=False)
    return Blocks(Shape(width, height, frames), complete=True)


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


class _BlockReader:
    """A position in the file that moves from block to block; raises IndexError at the end of the file."""

    def __init__(self, data: mmap, at: int) -> None:
        self.data = data
        self.at = at
        self.remaining = MAX_BLOCKS

    def next_kind(self) -> int:
        found = _NEXT_BLOCK.search(self.data, self.at)
        if found is None:
            raise IndexError
        self.at = found.start()
        return self.data[self.at]

    def skip(self, header_bytes: int) -> None:
        """Skip a block's fixed header and its sub-blocks, which end with an empty one."""
        at = self.at + header_bytes
        while length := self.data[at]:
            at += length + 1
            self._count()
        self._count()
        self.at = at + 1

    def _count(self) -> None:
        self.remaining -= 1
        if not self.remaining:
            raise UnreadableImage("it has too many blocks")
