"""What a PNG and an AVIF say about their colours besides an ICC profile."""

import struct
from itertools import takewhile
from mmap import mmap

from libs.imaging.colour.spaces import (
    BT1886,
    UNSPECIFIED,
    Chromaticities,
    CodePoints,
    ColourSpace,
    from_code_points,
    from_gamma,
)
from libs.imaging.containers import avif_colour, png

_CHUNKS = {b"cICP", b"sRGB", b"gAMA", b"cHRM"}
_IDENTITY = 0  # the only matrix that cICP may name, because a PNG's pixels are RGB


def read_png(data: mmap) -> ColourSpace | None:
    """Return what cICP, sRGB, gAMA and cHRM say, in the order of precedence of the PNG specification.

    cICP overrides an ICC profile, and sRGB the two others. cHRM counts only together with gAMA, as in
    browsers.
    """
    before_pixels = takewhile(lambda chunk: chunk[0] != b"IDAT", png.chunks(data))
    chunks = {name: data[at] for name, at in before_pixels if name in _CHUNKS}
    points = _png_code_points(chunks.get(b"cICP", b""))
    space = from_code_points(points, television=BT1886, overrides_profile=True) if points else None
    if space or b"sRGB" in chunks:
        return space
    (gamma,) = struct.unpack(">I", chunks.get(b"gAMA", b"")[:4].rjust(4, b"\0"))
    return from_gamma(100_000 / gamma, _chromaticities(chunks.get(b"cHRM", b""))) if gamma else None


def _chromaticities(chunk: bytes) -> Chromaticities | None:
    if len(chunk) != 32:
        return None
    white_x, white_y, *colours = (value / 100_000 for value in struct.unpack(">8I", chunk))
    red_x, red_y, green_x, green_y, blue_x, blue_y = colours
    return red_x, red_y, green_x, green_y, blue_x, blue_y, white_x, white_y


def _png_code_points(chunk: bytes) -> CodePoints | None:
    if len(chunk) != 4 or chunk[2] != _IDENTITY or chunk[1] == UNSPECIFIED:
        return None
    return CodePoints(chunk[0], chunk[1], chunk[2], bool(chunk[3]))


def read_avif(data: mmap) -> ColourSpace | None:
    """Return what the nclx colour box says.

    Encoders mark pictures in sRGB as BT.709, so its transfer function is taken as sRGB's, as in browsers.
    """
    points = avif_colour.read_code_points(data)
    return from_code_points(points, television="srgb") if points else None
