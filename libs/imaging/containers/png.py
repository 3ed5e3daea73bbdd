"""PNG and APNG: chunks before the first pixel data."""

import struct
from mmap import mmap

from libs.imaging.containers.shape import Shape
from libs.imaging.errors import ImageTruncated, UnreadableImage
from libs.imaging.limits import MAX_PROFILE_BYTES, check_metadata

MAX_CHUNKS = 1_000
"""Chunks ahead of the pixels; real files have a dozen."""

_TEXTS = {b"tEXt", b"zTXt", b"iTXt", b"eXIf"}


def measure(data: mmap) -> Shape:
    """Read the size, and the number of frames that an APNG announces.

    Raises:
        ImageTruncated: The file ends before its pixel data begins.
        UnreadableImage: The chunks are out of order, or too many.
        TooMuchMetadata: A text or a profile is too large.
    """
    try:
        return _measure(data)
    except struct.error as error:
        raise ImageTruncated from error


def _measure(data: mmap) -> Shape:
    name, width, height = struct.unpack_from(">4sII", data, 12)
    if name != b"IHDR" or not width or not height:
        raise UnreadableImage("its PNG header is damaged")
    at, announced = 8, 1
    for _ in range(MAX_CHUNKS):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"acTL":
            (announced,) = struct.unpack_from(">I", data, at + 8)
        elif name == b"IDAT":
            return Shape(width, height, max(1, announced))
        elif name in _TEXTS:
            check_metadata("text", length)
        elif name == b"iCCP":
            check_metadata("colour profile", length, MAX_PROFILE_BYTES)
        at += 12 + length
    raise UnreadableImage("it has too many chunks")
