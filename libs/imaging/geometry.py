"""Boxes and places, rounded as sharp rounds them."""

import math
from typing import Literal, NamedTuple, TypeAlias

Size: TypeAlias = tuple[int, int]

Gravity: TypeAlias = Literal[
    "top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"
]


class Box(NamedTuple):
    """A region in pixels; fractions of a pixel count."""

    left: float
    top: float
    right: float
    bottom: float

    def scaled(self, across: float, down: float) -> "Box":
        return Box(self.left * across, self.top * down, self.right * across, self.bottom * down)


def half_up(value: float) -> int:
    """Round to the nearest whole pixel, halves upwards, but never to nothing."""
    return max(1, math.floor(value + 0.5))


def place(inner: Size, outer: Size, gravity: Gravity, *, odd_pixel: int = 0) -> Size:
    """Find the left and top of `inner` within `outer`.

    Args:
        inner: The smaller of the two, or as large.
        outer: What it lies in.
        gravity: The side or corner it is drawn to.
        odd_pixel: 1 gives an odd pixel of centring to the left and top, 0 to the right and bottom.
    """
    words = gravity.split("-")
    across, down = outer[0] - inner[0], outer[1] - inner[1]
    left = 0 if "left" in words else across if "right" in words else (across + odd_pixel) // 2
    top = 0 if "top" in words else down if "bottom" in words else (down + odd_pixel) // 2
    return left, top
