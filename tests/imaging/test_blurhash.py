"""BlurHash texts decode to something like their image."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from libs.imaging.blurhash import blurhash
from tests.imaging.float_reference import gaussian


def _decoded(text: str, width: int, height: int) -> Any:
    """Decode a BlurHash as the published algorithm does."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

    def number(part: str) -> int:
        value = 0
        for letter in part:
            value = value * 83 + digits.index(letter)
        return value

    across, down = number(text[0]) % 9 + 1, number(text[0]) // 9 + 1
    greatest = (number(text[1]) + 1) / 166
    mean = number(text[2:6])
    bytes_ = np.array([mean >> 16, mean >> 8 & 255, mean & 255]) / 255
    factors = [np.where(bytes_ <= 0.04045, bytes_ / 12.92, ((bytes_ + 0.055) / 1.055) ** 2.4)]
    for at in range(6, len(text), 2):
        value = number(text[at : at + 2])
        parts = np.array([value // 361, value // 19 % 19, value % 19]) - 9
        factors.append(np.sign(parts) * (parts / 9) ** 2 * greatest)
    rows, columns = np.arange(height) + 0.0, np.arange(width) + 0.0
    total: Any = np.zeros((height, width, 3))
    for index, factor in enumerate(factors):
        y, x = divmod(index, across)
        basis = np.outer(np.cos(math.pi * y * rows / height), np.cos(math.pi * x * columns / width))
        total = total + basis[..., None] * factor
    assert len(factors) == across * down
    total = np.clip(total, 0, 1)
    return 255 * np.where(total <= 0.0031308, total * 12.92, 1.055 * total ** (1 / 2.4) - 0.055)  # pyright: ignore


@pytest.mark.parametrize("photo", ["astronaut.png", "coffee.png", "chelsea.png"])
def test_a_decoded_blurhash_resembles_the_image(photo: str, photos: Path) -> None:
    with Image.open(photos / photo) as image:
        text = blurhash(image)
        small = np.asarray(image.convert("RGB").resize((32, 32), Image.Resampling.BOX), dtype=float)
    assert len(text) == 28
    drawn = _decoded(text, 32, 32)
    assert np.corrcoef(drawn.ravel(), gaussian(small, 4).ravel())[0, 1] > 0.85
    assert (
        np.abs(drawn.mean(axis=(0, 1)) - small.mean(axis=(0, 1))).max() < 30
    )  # it keeps the mean of linear light, not of sRGB values
