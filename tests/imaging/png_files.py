"""Write PNG files chunk by chunk, also such as Pillow cannot write."""

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def png(
    samples: NDArray[Any], *chunks: tuple[bytes, bytes], depth: int = 8, palette: bytes | None = None
) -> bytes:
    """Encode rows x columns x channels of samples; `chunks` stand before the pixels.

    With a palette, the samples are its indices.
    """
    height, width = samples.shape[:2]
    rows = samples.reshape(height, -1)
    colour_type = 3 if palette is not None else _COLOUR_TYPES[rows.shape[1] // width]
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    stored = [(b"IHDR", header)]
    stored += [(b"PLTE", palette)] if palette is not None else []
    body = b"".join(b"\0" + _packed(row, depth) for row in rows)
    stored += [*chunks, (b"IDAT", zlib.compress(body)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, data) for name, data in stored)


def _packed(row: NDArray[Any], depth: int) -> bytes:
    if depth == 16:
        return row.astype(">u2").tobytes()
    bits = np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - depth :]
    return np.packbits(bits.ravel()).tobytes()


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def cicp(primaries: int, transfer: int, *, full_range: bool = True) -> tuple[bytes, bytes]:
    """Return a cICP chunk."""
    return b"cICP", bytes([primaries, transfer, 0, full_range])


def gama(encoding_exponent: float) -> tuple[bytes, bytes]:
    """Return a gAMA chunk."""
    return b"gAMA", struct.pack(">I", round(encoding_exponent * 100_000))


def chrm(red_green_blue: Sequence[float], white: Sequence[float] = (0.3127, 0.3290)) -> tuple[bytes, bytes]:
    """Return a cHRM chunk."""
    return b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in (*white, *red_green_blue)))
