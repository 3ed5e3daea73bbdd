"""Reduce the samples of a deep HEIC to 8 bits."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_DEEPEST = 16
_BLOCK_ROWS = 256


def reduced(
    data: bytes, size: tuple[int, int], stride: int, mode: str, bits: int
) -> tuple[Image.Image, NDArray[np.uint16]]:
    """Return an image in `mode`, and the samples without alpha, scaled to 16 bits.

    Args:
        data: Rows of 16-bit samples, of which the upper `bits` count.
        size: Of the picture.
        stride: Bytes from one row to the next.
        mode: L, LA, RGB, RGBA or RGBa.
        bits: 10 or 12.
    """
    width, height = size
    channels = len(mode)
    rows = np.frombuffer(data, np.dtype("<u2"), height * stride // 2).reshape(height, stride // 2)
    samples = rows[:, : width * channels].reshape(height, width, channels)
    values = np.arange(1 << _DEEPEST) >> (_DEEPEST - bits)
    greatest = (1 << bits) - 1
    to_8, to_16 = (
        np.round(values * (most / greatest)).astype(kind)
        for most, kind in ((255, np.uint8), (65_535, np.uint16))
    )
    colours = channels - 1 if mode[-1] in "Aa" else channels
    shallow = np.empty(samples.shape, np.uint8)
    deep = np.empty((height, width, colours), np.uint16)
    for top in range(0, height, _BLOCK_ROWS):
        block = slice(top, top + _BLOCK_ROWS)
        shallow[block] = to_8[samples[block]]
        deep[block] = to_16[samples[block, :, :colours]]
    image = Image.frombytes(mode, size, shallow.tobytes(), "raw", mode)
    return image, deep[:, :, 0] if colours == 1 else deep
