"""Turning by any angle."""

import math
from typing import Annotated

from msgspec import Meta
from PIL.Image import Image, Resampling, Transpose

from libs.imaging.colours import Colour, parse_colour, premultiplied
from libs.imaging.compositing import has_alpha
from libs.imaging.geometry import Size
from libs.imaging.operations.colour_channels import as_colour
from libs.imaging.operations.operation import Operation

_QUARTERS: dict[float, Transpose] = {
    90: Transpose.ROTATE_270,
    180: Transpose.ROTATE_180,
    270: Transpose.ROTATE_90,
}


class Rotate(Operation, frozen=True, kw_only=True, tag="rotate"):
    """Turn clockwise by `angle` degrees.

    The canvas grows to hold the whole image unless `expand` is false. Corners show `background`; without
    one they are transparent, or white where the format has no transparency.
    """

    angle: Annotated[float, Meta(ge=-36_000, le=36_000)]
    expand: bool = True
    background: Colour | None = None

    @property
    def _degrees(self) -> float:
        """The turn within 0 and 360, to a billionth: what is less moves no pixel."""
        return round(self.angle % 360, 9) % 360

    def result_size(self, size: Size) -> Size:
        angle = self._degrees
        if not self.expand or angle in {0, 180}:
            return size
        if angle in _QUARTERS:
            return size[1], size[0]
        return _turned(size, math.radians(angle))

    def apply(self, image: Image) -> Image:
        angle = self._degrees
        if angle == 0:
            return image
        if transpose := self.transposition(image.size):
            return image.transpose(transpose)
        if self.background is None:
            clear = image if has_alpha(image) else image.convert("LA" if image.mode == "L" else "RGBA")
            return clear.rotate(-angle, Resampling.BICUBIC, expand=self.expand)
        background = parse_colour(self.background)
        if background[3] == 255 and not has_alpha(image):
            return as_colour(image).rotate(
                -angle, Resampling.BICUBIC, expand=self.expand, fillcolor=background[:3]
            )
        return image.convert("RGBA").rotate(
            -angle, Resampling.BICUBIC, expand=self.expand, fillcolor=premultiplied(background)
        )

    def transposition(self, size: Size) -> Transpose | None:
        """Tell how to move pixels whole, where that is all there is to it."""
        angle = self._degrees
        if angle in _QUARTERS and self.result_size(size) == _quarter(size, angle):
            return _QUARTERS[angle]
        return None


def _quarter(size: Size, angle: float) -> Size:
    return size if angle == 180 else (size[1], size[0])


def _turned(size: Size, radians: float) -> Size:
    """Give the size of the box around a turned image, its corners rounded outwards as Pillow does."""
    cosine, sine = round(math.cos(radians), 15), round(math.sin(radians), 15)
    across, down = size[0] / 2, size[1] / 2
    left = across - cosine * across - sine * down
    top = down + sine * across - cosine * down
    corners = [(x, y) for x in (0, size[0]) for y in (0, size[1])]
    xs = [cosine * x + sine * y + left for x, y in corners]
    ys = [-sine * x + cosine * y + top for x, y in corners]
    return math.ceil(max(xs)) - math.floor(min(xs)), math.ceil(max(ys)) - math.floor(min(ys))
