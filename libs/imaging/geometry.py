"""Boxes and places, rounded as sharp rounds them."""

import math
from typing import Annotated, Literal, NamedTuple, TypeAlias

from msgspec import Meta, Struct

Size: TypeAlias = tuple[int, int]

Position: TypeAlias = Literal[
    "top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"
]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]


class Focus(Struct, frozen=True, forbid_unknown_fields=True):
    """A point of the image, as shares of its width and height; what is kept is centred on it."""

    x: Share
    y: Share


Gravity: TypeAlias = Position | Focus
"""Where something lies that may be computed before any pixel is seen."""


class Box(NamedTuple):
    """A region in pixels; fractions of a pixel count."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def scaled(self, across: float, down: float) -> "Box":
        return Box(self.left * across, self.top * down, self.right * across, self.bottom * down)

    def moved(self, across: float, down: float) -> "Box":
        return Box(self.left + across, self.top + down, self.right + across, self.bottom + down)


def whole(size: Size) -> Box:
    return Box(0, 0, *size)


def half_up(value: float) -> int:
    """Round to the nearest whole pixel, halves upwards, but never to nothing."""
    return max(1, math.floor(value + 0.5))


def place(inner: Size, outer: Size, gravity: Gravity, *, odd_pixel: int = 0) -> Size:
    """Find the left and top of `inner` within `outer`.

    Args:
        inner: The smaller of the two, or as large.
        outer: What it lies in.
        gravity: The side or corner it is drawn to, or the point it is centred on as far as it can be.
        odd_pixel: 1 gives an odd pixel of centring to the left and top, 0 to the right and bottom.
    """
    across, down = outer[0] - inner[0], outer[1] - inner[1]
    if isinstance(gravity, Focus):
        left = math.floor(gravity.x * outer[0] - inner[0] / 2 + 0.5)
        top = math.floor(gravity.y * outer[1] - inner[1] / 2 + 0.5)
        return min(max(left, 0), across), min(max(top, 0), down)
    words = gravity.split("-")
    left = 0 if "left" in words else across if "right" in words else (across + odd_pixel) // 2
    top = 0 if "top" in words else down if "bottom" in words else (down + odd_pixel) // 2
    return left, top
