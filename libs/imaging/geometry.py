"""Boxes and positions, rounded as sharp and libvips round them."""

import math
from typing import Annotated, Literal, NamedTuple, TypeAlias

from msgspec import Meta, Struct

Size: TypeAlias = tuple[int, int]

Position: TypeAlias = Literal[
    "top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"
]
Fraction: TypeAlias = Annotated[float, Meta(ge=0, le=1)]


class Focus(Struct, frozen=True, forbid_unknown_fields=True):
    """A point of the image, as fractions of its width and height; the part that is kept is centred on it."""

    x: Fraction
    """From the left, as a fraction of the width."""
    y: Fraction
    """From the top, as a fraction of the height."""


Gravity: TypeAlias = Position | Focus
"""A placement that can be computed from sizes alone, without looking at pixels."""


class Box(NamedTuple):
    """A region in pixels; edges may lie between pixels."""

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


def full_box(size: Size) -> Box:
    return Box(0, 0, *size)


def round_half_up(value: float) -> int:
    """Round to the nearest integer, halves upwards, and return at least 1."""
    return max(1, math.floor(value + 0.5))


def place(inner: Size, outer: Size, gravity: Gravity, *, odd_pixel: int = 0) -> Size:
    """Return left and top of `inner` within `outer`.

    Args:
        inner: Must not be larger than `outer`.
        outer: The area to place it in.
        gravity: A side or corner, or a point to centre `inner` on as far as it stays within `outer`.
        odd_pixel: Where centring puts an odd pixel: 1 to the left and top, 0 to the right and bottom.
    """
    across, down = outer[0] - inner[0], outer[1] - inner[1]
    if isinstance(gravity, Focus):
        left = math.floor(gravity.x * outer[0] - inner[0] / 2 + 0.5)
        top = math.floor(gravity.y * outer[1] - inner[1] / 2 + 0.5)
        return min(max(left, 0), across), min(max(top, 0), down)
    sides = gravity.split("-")
    left = 0 if "left" in sides else across if "right" in sides else (across + odd_pixel) // 2
    top = 0 if "top" in sides else down if "bottom" in sides else (down + odd_pixel) // 2
    return left, top
