"""Encode an image as a BlurHash, a short text that clients draw as a placeholder.

The algorithm is that of https://github.com/woltapp/blurhash/blob/master/Algorithm.md.
"""

import math
from collections.abc import Sequence
from operator import mul

from PIL.Image import Image

from libs.imaging.orientation import UPRIGHT, apply_orientation
from libs.imaging.resampling import scale
from libs.imaging.transparency import on_grey

_SIDE = 32
_COMPONENTS_X, _COMPONENTS_Y = 4, 3
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"


def blurhash(image: Image, orientation: int = UPRIGHT) -> str:
    """Return the BlurHash of 4 by 3 components, which has 28 characters, of the upright picture.

    Transparent pixels are shown on grey: a BlurHash has no transparency.

    Args:
        image: In mode L, LA, RGB or RGBA.
        orientation: The EXIF orientation of its pixels.
    """
    small = on_grey(scale(image, (_SIDE, _SIDE), "box")).convert("RGB")
    small = apply_orientation(small, orientation)
    channels = [[_SRGB_TO_LINEAR[value] for value in band.tobytes()] for band in small.split()]
    components = [_component(channels, x, y) for y in range(_COMPONENTS_Y) for x in range(_COMPONENTS_X)]
    dc, ac = components[0], components[1:]
    maximum = max(abs(value) for component in ac for value in component)
    quantised_maximum = min(82, max(0, math.floor(maximum * 166 - 0.5)))
    unit = (quantised_maximum + 1) / 166
    parts = [
        _base83((_COMPONENTS_X - 1) + (_COMPONENTS_Y - 1) * 9, 1),
        _base83(quantised_maximum, 1),
        _base83(sum(_linear_to_srgb(value) << shift for value, shift in zip(dc, (16, 8, 0), strict=True)), 4),
    ]
    for component in ac:
        red, green, blue = (_quantised_ac(value / unit) for value in component)
        parts.append(_base83(red * 361 + green * 19 + blue, 2))
    return "".join(parts)


def _component(channels: Sequence[Sequence[float]], x: int, y: int) -> tuple[float, ...]:
    """Return the discrete cosine transform of each channel at one frequency."""
    across = [math.cos(math.pi * x * column / _SIDE) for column in range(_SIDE)]
    down = [math.cos(math.pi * y * row / _SIDE) for row in range(_SIDE)]
    basis = [vertical * horizontal for vertical in down for horizontal in across]
    norm = (1 if x == y == 0 else 2) / _SIDE**2
    return tuple(norm * sum(map(mul, basis, channel)) for channel in channels)


def _linear_to_srgb(value: float) -> int:
    value = min(max(value, 0.0), 1.0)
    encoded = value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
    return int(encoded * 255 + 0.5)


def _quantised_ac(value: float) -> int:
    return min(18, max(0, math.floor(math.copysign(abs(value) ** 0.5, value) * 9 + 9.5)))


def _base83(value: int, length: int) -> str:
    return "".join(_DIGITS[value // 83**place % 83] for place in reversed(range(length)))


_SRGB_TO_LINEAR = [
    value / 255 / 12.92 if value / 255 <= 0.04045 else ((value / 255 + 0.055) / 1.055) ** 2.4
    for value in range(256)
]
