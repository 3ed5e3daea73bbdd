"""APNG: the frames of an animated PNG (PNG specification, third edition, section 11.3.6)."""

import struct
from typing import NamedTuple

from libs.imaging.containers.png import SIGNATURE, chunk, chunks
from libs.imaging.containers.shape import Buffer
from libs.imaging.errors import ImageTruncated, UnreadableImage

_COLOURS = {b"PLTE", b"tRNS"}  # the chunks that the pixels of every frame depend on


class StoredFrame(NamedTuple):
    """One frame: a rectangle of the canvas, with its frame control."""

    left: int
    top: int
    width: int
    height: int
    delay_ms: float
    disposal: int
    blend: int
    pixels: tuple[slice, ...]  # the pieces of its compressed pixels


class Animation(NamedTuple):
    """The frames, and what they have in common."""

    header: bytes  # the data of the chunk IHDR
    colours: bytes  # the chunks PLTE and tRNS
    hides_default: bool  # the still image for other viewers is not one of the frames
    frames: tuple[StoredFrame, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height of the canvas."""
        width, height = struct.unpack_from(">II", self.header)
        return width, height


def read_animation(data: Buffer) -> Animation | None:
    """Read the frames that the animation control announces; None if there is none.

    Raises:
        ImageTruncated: There are fewer frames than announced.
        UnreadableImage: A frame lies outside the canvas.
    """
    reader = _Reader(data)
    for name, body in chunks(data):
        if name == b"IDAT" and not reader.announced:
            return None  # a still image
        reader.read_chunk(name, body)
        if reader.announced and len(reader.frames) == reader.announced:
            break
    else:
        reader.end_frame()
    if len(reader.frames) < reader.announced:
        raise ImageTruncated
    if not reader.announced:
        return None
    return Animation(reader.header, reader.colours, reader.hides_default, tuple(reader.frames))


def standalone(data: Buffer, animation: Animation, frame: StoredFrame) -> bytes:
    """Return a PNG of one frame alone; of the animation's chunks it has only those of the pixel format."""
    header = struct.pack(">II", frame.width, frame.height) + animation.header[8:]
    pixels = b"".join(data[piece] for piece in frame.pixels)
    return b"".join(
        [SIGNATURE, chunk(b"IHDR", header), animation.colours, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    )


class _Reader:
    """What the chunks up to one of them say."""

    def __init__(self, data: Buffer) -> None:
        self.header = self.colours = b""
        self.announced = 0  # frames
        self.hides_default = False
        self.frames: list[StoredFrame] = []
        self._data = data
        self._control: StoredFrame | None = None  # of the frame that is being read
        self._pieces: list[slice] = []

    def read_chunk(self, name: bytes, body: slice) -> None:
        match name:
            case b"IHDR":
                self.header = self._data[body]
            case b"PLTE" | b"tRNS" if not self._pieces:
                self.colours += self._data[body.start - 8 : body.stop + 4]
            case b"acTL" if not self.announced:
                (self.announced,) = struct.unpack_from(">I", self._data, body.start)
            case b"fcTL":
                self.end_frame()
                self._control = self._read_control(body.start + 4)
            case b"IDAT" if self._control is None:
                self.hides_default = True
            case b"IDAT":
                self._pieces.append(body)
            case b"fdAT" if self._control is not None:
                self._pieces.append(slice(body.start + 4, body.stop))  # after the sequence number
            case b"IEND":
                self.end_frame()
            case _:
                pass

    def end_frame(self) -> None:
        if self._control is not None and self._pieces:
            self.frames.append(self._control._replace(pixels=tuple(self._pieces)))
        self._control, self._pieces = None, []

    def _read_control(self, at: int) -> StoredFrame:
        width, height, left, top, numerator, denominator, disposal, blend = struct.unpack_from(
            ">IIIIHHBB", self._data, at
        )
        canvas_width, canvas_height = struct.unpack_from(">II", self.header)
        if not width or not height or left + width > canvas_width or top + height > canvas_height:
            raise UnreadableImage("a frame lies outside the image")
        delay_ms = numerator / (denominator or 100) * 1000
        return StoredFrame(left, top, width, height, delay_ms, disposal, blend, ())
