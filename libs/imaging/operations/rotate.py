"""Rotate by any angle."""

import math
from typing import Annotated

from msgspec import Meta
from PIL.Image import Image, Resampling, Transpose

from libs.imaging.colours import Colour, parse_colour, premultiplied
from libs.imaging.compositing import has_alpha, with_alpha
from libs.imaging.geometry import Size
from libs.imaging.operations.colour_channels import as_colour
from libs.imaging.operations.operation import Operation

_QUARTER_TURNS: dict[float, Transpose] = {
    90: Transpose.ROTATE_270,
    180: Transpose.ROTATE_180,
    270: Transpose.ROTATE_90,
}


class Rotate(Operation, frozen=True, kw_only=True, tag="rotate"):
    """Rotate clockwise by `angle` degrees.

    The canvas grows to hold the full image unless `expand` is false. Corners have the colour `background`;
    without one they are transparent, or white if the format has no transparency.
    """

    angle: Annotated[float, Meta(ge=-36_000, le=36_000)]
    """Degrees, clockwise."""
    expand: bool = True
    """Whether the canvas grows to hold the full image."""
    background: Colour | None = None
    """The colour of the corners; without it, transparent, or white if the format has no transparency."""

    @property
    def _degrees(self) -> float:
        """The angle from 0 up to 360, rounded to a billionth: a smaller angle moves no pixel."""
        return round(self.angle % 360, 9) % 360

    def result_size(self, size: Size) -> Size:
        angle = self._degrees
        if not self.expand or angle in {0, 180}:
            return size
        if angle in _QUARTER_TURNS:
            return size[1], size[0]
        return _rotated_size(size, math.radians(angle))

    def apply(self, image: Image) -> Image:
        angle = self._degrees
        if angle == 0:
            return image
        if transpose := self.transposition(image.size):
            return image.transpose(transpose)
        if self.background is None:
            return with_alpha(image).rotate(-angle, Resampling.BICUBIC, expand=self.expand)
        background = parse_colour(self.background)
        if background[3] == 255 and not has_alpha(image):
            return as_colour(image).rotate(
                -angle, Resampling.BICUBIC, expand=self.expand, fillcolor=background[:3]
            )
        return image.convert("RGBA").rotate(
            -angle, Resampling.BICUBIC, expand=self.expand, fillcolor=premultiplied(background)
        )

    def transposition(self, size: Size) -> Transpose | None:
        """Return the transposition that equals this rotation, if there is one."""
        angle = self._degrees
        if angle in _QUARTER_TURNS and self.result_size(size) == _quarter_turned_size(size, angle):
            return _QUARTER_TURNS[angle]
        return None


def _quarter_turned_size(size: Size, angle: float) -> Size:
    return size if angle == 180 else (size[1], size[0])


def _rotated_size(size: Size, radians: float) -> Size:
    """Return the size of the box around a rotated image, with corners rounded outwards as Pillow does."""
    cosine, sine = round(math.cos(radians), 15), round(math.sin(radians), 15)
    across, down = size[0] / 2, size[1] / 2
    left = across - cosine * across - sine * down
    top = down + sine * across - cosine * down
    corners = [(x, y) for x in (0, size[0]) for y in (0, size[1])]
    xs = [cosine * x + sine * y + left for x, y in corners]
    ys = [-sine * x + cosine * y + top for x, y in corners]
    return math.ceil(max(xs)) - math.floor(min(xs)), math.ceil(max(ys)) - math.floor(min(ys))
