"""Changing the file format."""

from typing import Literal

from msgspec.structs import replace

from libs.imaging.colours import Colour, parse_colour
from libs.imaging.operations.operation import Operation, Output, Quality


class Convert(Operation, frozen=True, kw_only=True, tag="convert"):
    """Write the result in another format.

    `quality` is that of JPEG, WebP and AVIF; the others are lossless and ignore it. `background` goes
    under transparency where the format has none.
    """

    format: Literal["jpeg", "jpg", "png", "webp", "avif", "gif", "tiff", "bmp"]
    quality: Quality | None = None
    background: Colour = "white"

    def settle(self, output: Output) -> Output:
        return replace(
            output,
            format="jpeg" if self.format == "jpg" else self.format,
            quality=self.quality or output.quality,
            colours=None,
            background=parse_colour(self.background),
        )
