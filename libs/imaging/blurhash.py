"""What stands for an image until it has come: a BlurHash, and its main colours."""

import math
from collections.abc import Sequence
from operator import mul

from PIL.Image import Image, Quantize, Resampling

_SIDE = 32
_ACROSS, _DOWN = 4, 3
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
_PALETTE_SIDE = 128


def blurhash(image: Image) -> str:
    """Give the BlurHash of 4 by 3 components, a text of 28 characters that clients can draw."""
    small = image.resize((_SIDE, _SIDE), Resampling.BOX).convert("RGB")
    channels = [[_LINEAR[value] for value in band.tobytes()] for band in small.split()]
    factors = [_factor(channels, x, y) for y in range(_DOWN) for x in range(_ACROSS)]
    mean, rest = factors[0], factors[1:]
    greatest = max(abs(value) for factor in rest for value in factor)
    quantised = min(82, max(0, math.floor(greatest * 166 - 0.5)))
    scale = (quantised + 1) / 166
    words = [
        _text((_ACROSS - 1) + (_DOWN - 1) * 9, 1),
        _text(quantised, 1),
        _text(sum(_gamma(value) << shift for value, shift in zip(mean, (16, 8, 0), strict=True)), 4),
    ]
    for factor in rest:
        red, green, blue = (_signed_root(value / scale) for value in factor)
        words.append(_text(red * 361 + green * 19 + blue, 2))
    return "".join(words)


def dominant_colours(image: Image, count: int = 5) -> tuple[str, ...]:
    """Give at most `count` colours as `#rrggbb`, the most frequent first; clear pixels do not count."""
    size = (min(image.width, _PALETTE_SIDE), min(image.height, _PALETTE_SIDE))
    small = image.resize(size, Resampling.BOX).convert("RGBA")
    opaque = small.getchannel("A").point([0] * 128 + [255] * 128)
    palette = small.convert("RGB").quantize(count, Quantize.MEDIANCUT)
    visible = palette.histogram(opaque)
    colours = palette.getpalette() or []
    ranked = sorted(range(min(count, len(colours) // 3)), key=lambda index: (-visible[index], index))
    return tuple("#" + bytes(colours[3 * index : 3 * index + 3]).hex() for index in ranked if visible[index])


def _factor(channels: Sequence[Sequence[float]], x: int, y: int) -> tuple[float, ...]:
    across = [math.cos(math.pi * x * column / _SIDE) for column in range(_SIDE)]
    down = [math.cos(math.pi * y * row / _SIDE) for row in range(_SIDE)]
    basis = [high * wide for high in down for wide in across]
    norm = (1 if x == y == 0 else 2) / _SIDE**2
    return tuple(norm * sum(map(mul, basis, channel)) for channel in channels)


def _gamma(value: float) -> int:
    value = min(max(value, 0.0), 1.0)
    share = value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
    return int(share * 255 + 0.5)


def _signed_root(value: float) -> int:
    return min(18, max(0, math.floor(math.copysign(abs(value) ** 0.5, value) * 9 + 9.5)))


def _text(value: int, length: int) -> str:
    return "".join(_DIGITS[value // 83**place % 83] for place in reversed(range(length)))


_LINEAR = [
    value / 255 / 12.92 if value / 255 <= 0.04045 else ((value / 255 + 0.055) / 1.055) ** 2.4
    for value in range(256)
]
