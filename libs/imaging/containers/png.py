"""PNG and APNG: the chunks before the first pixel data (PNG specification, third edition)."""

import struct
import zlib
from collections.abc import Iterator
from mmap import mmap

from libs.imaging.containers.shape import Buffer, Shape
from libs.imaging.errors import ImageTruncated, UnreadableImage
from libs.imaging.limits import MAX_PROFILE_BYTES, check_metadata

MAX_CHUNKS = 1_000
"""Limit of chunks before the pixel data; real files have a dozen."""

MAX_ALL_CHUNKS = 1_000_000
"""Limit of all chunks; a 50 MB animation holds about 7,000 of the usual size."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
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


def chunks(data: Buffer) -> Iterator[tuple[bytes, slice]]:
    """Yield the name and the extent of the data of each chunk up to IEND; the last one may be cut off.

    Raises:
        UnreadableImage: There are more than `MAX_ALL_CHUNKS` chunks.
    """
    at = len(SIGNATURE)
    for _ in range(MAX_ALL_CHUNKS):
        if at + 8 > len(data):
            return
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, slice(at + 8, at + 8 + length)
        if name == b"IEND":
            return
        at += 12 + length
    raise UnreadableImage("it has too many chunks")


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
