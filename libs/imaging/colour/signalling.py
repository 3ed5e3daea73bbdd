"""Write what a result's colours are: cICP, gAMA and cHRM in a PNG, nclx in an AVIF, else an ICC profile."""

import struct
from typing import Any, BinaryIO

from PIL.PngImagePlugin import PngInfo

from libs.imaging.colour.spaces import ColourSpace
from libs.imaging.formats import FORMATS, FormatName


def add_signalling(options: dict[str, Any], space: ColourSpace, name: FormatName, *, grey: bool) -> None:
    """Add the encoder options that describe `space`."""
    if not FORMATS[name].profiles:
        return
    if name == "png":
        chunks: PngInfo = options.setdefault("pnginfo", PngInfo())
        for kind, data in _png_chunks(space):
            chunks.add(kind, data)
    elif not space.is_srgb and not (name == "avif" and space.code_points):
        from libs.imaging.colour.profile_writer import icc_profile  # NumPy is for few files

        options["icc_profile"] = icc_profile(space, grey=grey)


def _png_chunks(space: ColourSpace) -> list[tuple[bytes, bytes]]:
    points = space.code_points
    if points:
        return [(b"cICP", bytes([points.primaries, points.transfer, 0, space.full_range]))]
    if not isinstance(space.curve, float | int):
        return []
    white_first = (*space.primaries[6:], *space.primaries[:6])
    return [
        (b"gAMA", struct.pack(">I", round(100_000 / space.curve))),
        (b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in white_first))),
    ]


def rewrite_nclx(file: BinaryIO, space: ColourSpace) -> None:
    """Put the primaries and the transfer function of `space` into an AVIF that Pillow has written.

    Pillow writes those of sRGB. The matrix stays, because the pixels are stored with it.
    """
    points = space.code_points
    if points is None:
        return
    file.seek(0)
    data = file.read()
    at = data.find(b"colrnclx")
    while at >= 0:
        file.seek(at + 8)
        file.write(struct.pack(">HH", points.primaries, points.transfer))
        at = data.find(b"colrnclx", at + 8)
