"""PNG and APNG: the chunks before the first pixel data (PNG specification, third edition)."""

import struct
from mmap import mmap

from libs.imaging.containers.shape import Shape
from libs.imaging.errors import ImageTruncated, UnreadableImage
from libs.imaging.limits import MAX_PROFILE_BYTES, check_metadata

MAX_CHUNKS = 1_000
"""Limit of chunks before the pixel data; real files have a dozen."""

_TEXT_CHUNKS = {b"tEXt", b"zTXt", b"iTXt", b"eXIf"}


def measure(data: mmap) -> Shape:
    """Read the size, and the number of frames that an APNG announces.

    Raises:
        ImageTruncated: The file ends before its pixel data begins.
        UnreadableImage: The header is damaged, or there are more than `MAX_CHUNKS` chunks.
        TooMuchMetadata: A text or the colour profile is too large.
    """
    try:
        return _measure(data)
    except struct.error as error:
        raise ImageTruncated from error


def _measure(data: mmap) -> Shape:
    name, width, height = struct.unpack_from(">4sII", data, 12)
    if name != b"IHDR" or not width or not height:
        raise UnreadableImage("its PNG header is damaged")
    at, frames = 8, 1
    for _ in range(MAX_CHUNKS):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"acTL":
            (frames,) = struct.unpack_from(">I", data, at + 8)
        elif name == b"IDAT":
            return Shape(width, height, max(1, frames))
        elif name in _TEXT_CHUNKS:
            check_metadata("text", length)
        elif name == b"iCCP":
            check_metadata("colour profile", length, MAX_PROFILE_BYTES)
        at += 12 + length
    raise UnreadableImage("it has too many chunks")
