"""Inflate a PNG's pixels with ISA-L, which takes half of zlib's time."""

from collections.abc import Callable
from typing import cast

from isal import isal_zlib

INFLATE_ERROR = cast(type[Exception], isal_zlib.IsalError)

_HEADER = b"\x78\x01"  # of a zlib stream
_FINAL_BLOCK = b"\x01\x00\x00\xff\xff"
_LONGEST_BLOCK = 65_535  # bytes that a stored block can hold
_STEP = 16 * _LONGEST_BLOCK  # bytes to inflate at a time, so that a bomb takes no memory


class StoredStream:
    """Turns a zlib stream into one that is not compressed, which Pillow's decoder only has to copy.

    So everything but the compression stays Pillow's: filters, interlacing, depths, and what to do about
    surplus or missing data.
    """

    def __init__(self, read: Callable[[], bytes]) -> None:
        """Read the compressed data piece by piece; an empty piece is the end."""
        self._read = read
        self._inflater = isal_zlib.decompressobj()
        self._pending = b""
        self._more = False  # the inflater holds more than it has returned
        self._checksum = 1
        self._prefix = _HEADER
        self._ended = False

    def read(self) -> bytes:
        """Return the next piece of the new stream, and nothing at the end of either stream.

        Raises:
            INFLATE_ERROR: The compressed data is damaged.
        """
        while not self._ended:
            compressed = self._pending
            if not compressed and not self._more:
                compressed = self._read()
                if not compressed:
                    return b""
            pixels = self._inflater.decompress(compressed, _STEP)
            self._pending = self._inflater.unconsumed_tail
            self._more = len(pixels) == _STEP
            self._checksum = isal_zlib.adler32(pixels, self._checksum)
            stored = self._prefix + _stored(pixels)
            self._prefix = b""
            if self._inflater.eof:
                self._ended = True
                return stored + _FINAL_BLOCK + self._checksum.to_bytes(4, "big")
            if stored:
                return stored
        return b""


def _stored(data: bytes) -> bytes:
    """Return stored blocks, none of which is the last."""
    parts: list[bytes] = []
    for start in range(0, len(data), _LONGEST_BLOCK):
        block = data[start : start + _LONGEST_BLOCK]
        length = len(block)
        parts += [b"\x00", length.to_bytes(2, "little"), (length ^ 0xFFFF).to_bytes(2, "little"), block]
    return b"".join(parts)
