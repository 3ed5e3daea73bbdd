"""GIF: blocks walked up to the trailer."""

import re
import struct
from mmap import mmap
from typing import NamedTuple

from libs.imaging.containers.shape import Shape
from libs.imaging.errors import UnreadableImage

MAX_BLOCKS = 1_000_000
"""A 50 MB file holds about 200,000 blocks; only a hostile one holds more than this."""

_TRAILER, _EXTENSION, _IMAGE = 0x3B, 0x21, 0x2C
_NEXT_BLOCK = re.compile(rb"[\x21\x2c\x3b]")


class Walk(NamedTuple):
    """What was found on the way."""

    shape: Shape
    whole: bool  # the trailer was reached


def walk(data: mmap, max_frames: int) -> Walk:
    """Walk all blocks, or up to one frame more than `max_frames`.

    The size is that of the screen, widened by every frame that reaches beyond it.

    Raises:
        UnreadableImage: There are more blocks than any real file has.
    """
    if len(data) < 13:
        return Walk(Shape(0, 0, 0), whole=False)
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    blocks = _Blocks(data, 13 + _palette_bytes(flags))
    frames = 0
    try:
        while frames <= max_frames and (kind := blocks.next_kind()) != _TRAILER:
            if kind == _EXTENSION:
                blocks.skip(2)
                continue
            left, top, wide, high, flags = struct.unpack_from("<HHHHB", data, blocks.at + 1)
            width, height = max(width, left + wide), max(height, top + high)
            frames += 1
            blocks.skip(11 + _palette_bytes(flags))
    except (IndexError, struct.error):
        return Walk(Shape(width, height, frames), whole=False)
    return Walk(Shape(width, height, frames), whole=True)


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


class _Blocks:
    """A place in the file that moves from block to block; IndexError at the end of the file."""

    def __init__(self, data: mmap, at: int) -> None:
        self.data = data
        self.at = at
        self.left = MAX_BLOCKS

    def next_kind(self) -> int:
        found = _NEXT_BLOCK.search(self.data, self.at)
        if found is None:
            raise IndexError
        self.at = found.start()
        return self.data[self.at]

    def skip(self, head_bytes: int) -> None:
        """Pass a block's fixed head, then its sub-blocks up to the empty one."""
        at = self.at + head_bytes
        while length := self.data[at]:
            at += length + 1
            self._count()
        self._count()
        self.at = at + 1

    def _count(self) -> None:
        self.left -= 1
        if not self.left:
            raise UnreadableImage("it has too many blocks")
