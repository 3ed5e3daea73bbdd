"""GIF: the blocks up to the trailer (GIF89a specification)."""

import re
import struct
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from libs.imaging.containers.shape import Buffer, Shape
from libs.imaging.errors import UnreadableImage

MAX_BLOCKS = 1_000_000
"""Limit of blocks; a 50 MB file holds about 200,000, so only a hostile file has more."""

_TRAILER, _EXTENSION = 0x3B, 0x21
_GRAPHIC_CONTROL = 0xF9
_NEXT_BLOCK = re.compile(rb"[\x21\x2c\x3b]")
_GREYS = bytes(value for value in range(256) for _ in range(3))
_INTERLACED = 0x40


class Ending(Enum):
    """Where a file stops."""

    TRAILER = auto()  # at its trailer, or after as many frames as were to be read
    BETWEEN_BLOCKS = auto()  # without a trailer, but no frame was begun
    IN_PIXELS = auto()  # within the compressed pixels of the last frame, perhaps after the last pixel
    IN_FRAME = auto()  # after a frame was announced and before its pixels


class StoredFrame(NamedTuple):
    """One frame: a rectangle of the screen, with the graphic control that precedes it."""

    left: int
    top: int
    width: int
    height: int
    delay_cs: int  # in 1/100 s
    disposal: int
    transparent: int | None  # index of the transparent colour
    interlaced: bool
    palette: slice  # the bytes of its colour table, local or global; empty if there is none
    pixels: slice  # the compressed pixels: the size of the first codes, and sub-blocks
    cut: bool  # the file ends before the last sub-block


class Blocks(NamedTuple):
    """What the blocks of a GIF say."""

    shape: Shape  # of the logical screen, extended by the first frame
    extent: tuple[int, int]  # the same, extended by every frame
    frames: tuple[StoredFrame, ...]
    ending: Ending


def read_blocks(data: Buffer, max_frames: int) -> Blocks:
    """Read all blocks, or stop after one frame more than `max_frames`.

    The first frame may reach beyond the logical screen, which it then extends; browsers cut later ones off.

    Raises:
        UnreadableImage: There are more than `MAX_BLOCKS` blocks.
    """
    if len(data) < 13:
        return Blocks(Shape(0, 0, 0), (0, 0), (), Ending.IN_FRAME)
    reader = _BlockReader(data)
    frames: list[StoredFrame] = []
    for frame in reader.frames():
        frames.append(frame)
        if len(frames) > max_frames:
            break
    width, height = struct.unpack_from("<HH", data, 6)
    screen = _extended((width, height), frames[:1])
    return Blocks(Shape(*screen, len(frames)), _extended(screen, frames), tuple(frames), reader.ending)


def standalone(data: Buffer, frame: StoredFrame) -> bytes:
    """Return a GIF of one frame alone, without its offset and with all 256 colours.

    Colours beyond the end of its table are black; without any table they are greys, as in Pillow. A sub-block
    that is cut gets the length that it has, so that a decoder reads what there is.
    """
    palette = data[frame.palette].ljust(len(_GREYS), b"\0") if frame.palette.stop else _GREYS
    flags = _INTERLACED if frame.interlaced else 0
    parts = [
        b"GIF89a" + struct.pack("<HHBBB", frame.width, frame.height, 0xF7, 0, 0) + palette,
        b"," + struct.pack("<HHHHB", 0, 0, frame.width, frame.height, flags),
        _with_last_length(data[frame.pixels]) if frame.cut else data[frame.pixels],
    ]
    if frame.transparent is not None:
        parts.insert(1, b"!\xf9\4" + struct.pack("<BHBx", 1, 0, frame.transparent))
    return b"".join(parts)


def _with_last_length(pixels: bytes) -> bytes:
    at = last = 1
    while at < len(pixels):
        last, at = at, at + 1 + pixels[at]
    if last == len(pixels):
        return pixels
    return pixels[:last] + bytes([len(pixels) - last - 1]) + pixels[last + 1 :]


def _extended(size: tuple[int, int], frames: list[StoredFrame]) -> tuple[int, int]:
    width, height = size
    for frame in frames:
        width, height = max(width, frame.left + frame.width), max(height, frame.top + frame.height)
    return width, height


class _BlockReader:
    """A position in the file that moves from block to block; raises IndexError at the end of the file."""

    def __init__(self, data: Buffer) -> None:
        self.data = data
        self.remaining = MAX_BLOCKS
        self.ending = Ending.TRAILER
        self._colours = _colour_table(data[10], 13)
        self._at = 13 + _table_bytes(data[10])

    def frames(self) -> Iterator[StoredFrame]:
        """Yield the frames, and set `ending`."""
        control: tuple[int, int, int] | None = None  # flags, delay, transparent index: of the next frame
        while (found := _NEXT_BLOCK.search(self.data, self._at)) is not None:
            self._at = found.start()
            kind = self.data[self._at]
            if kind == _TRAILER:
                return
            try:
                if kind == _EXTENSION:
                    control = self._extension() or control
                    continue
                yield self._image(*(control or (0, 0, 0)))
            except (IndexError, struct.error):
                announced = control or kind != _EXTENSION or self._is_graphic_control()
                self.ending = Ending.IN_FRAME if announced else Ending.BETWEEN_BLOCKS
                return
            control = None
            if self.ending is Ending.IN_PIXELS:
                return
        self.ending = Ending.IN_FRAME if control else Ending.BETWEEN_BLOCKS

    def _is_graphic_control(self) -> bool:
        return self.data[self._at + 1 : self._at + 2] in {b"", bytes([_GRAPHIC_CONTROL])}

    def _extension(self) -> tuple[int, int, int] | None:
        """Skip an extension; return its fields if it is a graphic control."""
        start = self._at
        self._at = self._after_sub_blocks(start + 2)
        if self.data[start + 1] == _GRAPHIC_CONTROL and self.data[start + 2] >= 4:
            flags, delay_cs, transparent = struct.unpack_from("<BHB", self.data, start + 3)
            return flags, delay_cs, transparent
        return None

    def _image(self, control: int, delay_cs: int, transparent: int) -> StoredFrame:
        left, top, width, height, flags = struct.unpack_from("<HHHHB", self.data, self._at + 1)
        start = self._at + 10 + _table_bytes(flags)
        try:
            end = self._at = self._after_sub_blocks(start + 1)
        except IndexError:
            if start >= len(self.data):
                raise
            end, self.ending = len(self.data), Ending.IN_PIXELS
        return StoredFrame(
            left=left,
            top=top,
            width=width,
            height=height,
            delay_cs=delay_cs,
            disposal=control >> 2 & 7,
            transparent=transparent if control & 1 else None,
            interlaced=bool(flags & _INTERLACED),
            palette=_colour_table(flags, start - _table_bytes(flags)) if flags & 0x80 else self._colours,
            pixels=slice(start, end),
            cut=self.ending is Ending.IN_PIXELS,
        )

    def _after_sub_blocks(self, at: int) -> int:
        """Return the offset after a series of sub-blocks, which ends with an empty one."""
        data, remaining = self.data, self.remaining - 1  # local, because there may be a million blocks
        while remaining > 0 and (length := data[at]):
            at += length + 1
            remaining -= 1
        if remaining <= 0:
            raise UnreadableImage("it has too many blocks")
        self.remaining = remaining
        return at + 1


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _colour_table(flags: int, start: int) -> slice:
    return slice(start, start + _table_bytes(flags)) if flags & 0x80 else slice(0, 0)
