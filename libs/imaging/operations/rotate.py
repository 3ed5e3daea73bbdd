"""Turning by any angle."""

import math
from typing import Annotated

from msgspec import Meta
from PIL.Image import Image, Resampling, Transpose

from libs.imaging.colours import Colour, parse_colour
from libs.imaging.compositing import has_alpha, lay
from libs.imaging.geometry import Size
from libs.imaging.operations.filtering import as_colour
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

    def result_size(self, size: Size) -> Size:
        angle = self.angle % 360
        if not self.expand or angle in {0, 180}:
            return size
        if angle in _QUARTERS:
            return size[1], size[0]
        return _turned(size, math.radians(angle))

    def apply(self, image: Image) -> Image:
        angle = self.angle % 360
        if angle == 0:
            return image
        if transpose := self.transposition(image.size):
            return image.transpose(transpose)
        background = parse_colour(self.background) if self.background else None
        if background and background[3] == 255 and not has_alpha(image):
            coloured = as_colour(image)
            return coloured.rotate(-angle, Resampling.BICUBIC, expand=self.expand, fillcolor=background[:3])
        clear = image if has_alpha(image) else image.convert("LA" if image.mode == "L" else "RGBA")
        turned = clear.rotate(-angle, Resampling.BICUBIC, expand=self.expand)
        return lay(turned, turned.size, (0, 0), background) if background else turned

    def transposition(self, size: Size) -> Transpose | None:
        """Tell how to move pixels whole, where that is all there is to it."""
        angle = self.angle % 360
        if angle in _QUARTERS and self.result_size(size) == _quarter(size, angle):
            return _QUARTERS[angle]
        return None


def _quarter(size: Size, angle: float) -> Size:
    return size if angle == 180 else (size[1], size[0])


def _turned(size: Size, radians: float) -> Size:
    """Give the size of the box around a turned image, its corners rounded outwards."""
    cosine, sine = abs(math.cos(radians)), abs(math.sin(radians))
    return (
        _outwards(size[0], cosine * size[0] + sine * size[1]),
        _outwards(size[1], sine * size[0] + cosine * size[1]),
    )


def _outwards(before: int, span: float) -> int:
    middle = before / 2
    return math.ceil(middle + span / 2) - math.floor(middle - span / 2)
