"""Convert pixels from a described colour space to sRGB."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from libs.imaging.colour import matrices
from libs.imaging.colour.spaces import ColourSpace
from libs.imaging.colour.tone_mapping import desaturate, peak_cd_m2, to_display
from libs.imaging.colour.transfer_functions import Floats, linear_table, srgb_coded

_BLOCK_PIXELS = 1 << 18
"""Pixels converted at a time, so that the intermediate values take a few megabytes."""

_STEPS = 1 << 16


def to_srgb(image: Image.Image, space: ColourSpace, peak: float) -> Image.Image:
    """Convert an image of mode L, LA, RGB or RGBA; alpha stays.

    Args:
        image: The pixels.
        space: Their colour space.
        peak: See `picture_peak`.
    """
    if space.is_srgb:
        return image
    if image.mode in {"LA", "RGBA"}:
        opaque = to_srgb(image.convert("L" if image.mode == "LA" else "RGB"), space, peak)
        opaque.putalpha(image.getchannel("A"))
        return opaque
    if image.mode == "L":
        return image.point(_grey_table(space, 256, peak).tolist())
    return Image.fromarray(samples_to_srgb(np.asarray(image), space, peak))


def samples_to_srgb(
    samples: NDArray[np.uint8] | NDArray[np.uint16], space: ColourSpace, peak: float
) -> NDArray[np.uint8]:
    """Convert grey samples (rows x columns) or RGB samples (rows x columns x 3) of 8 or 16 bits to 8 bits."""
    levels = 256 if samples.dtype == np.uint8 else 65_536
    if samples.ndim == 2:
        return _grey_table(space, levels, peak)[samples]
    result = np.empty(samples.shape, dtype=np.uint8)
    pixels, out = samples.reshape(-1, 3), result.reshape(-1, 3)
    for at in range(0, len(pixels), _BLOCK_PIXELS):
        out[at : at + _BLOCK_PIXELS] = _convert(pixels[at : at + _BLOCK_PIXELS], space, peak, levels)
    return result


def picture_peak(greatest: int, levels: int, space: ColourSpace, *, animated: bool) -> float:
    """Return the peak for `to_srgb`, in cd/m2.

    Args:
        greatest: The greatest sample of the whole picture, whatever part of it is converted.
        levels: 256 or 65,536.
        space: The colour space.
        animated: The picture is one of several, which must all be converted alike.
    """
    if not space.high_dynamic_range:
        return 0.0
    return peak_cd_m2(space, levels - 1 if animated else greatest, levels)


def _convert(
    pixels: NDArray[np.uint8] | NDArray[np.uint16], space: ColourSpace, peak: float, levels: int
) -> NDArray[np.uint8]:
    light = linear_table(space, levels)[pixels]
    if space.high_dynamic_range:
        light = to_display(light, space, matrices.to_xyz(space.primaries)[1], peak)
    light = light @ matrices.to_srgb(space.primaries).T.astype(np.float32)
    return _encode(desaturate(light) if space.high_dynamic_range else light)


@lru_cache(maxsize=8)
def _grey_table(space: ColourSpace, levels: int, peak: float) -> NDArray[np.uint8]:
    """Return the grey in sRGB of every coded value."""
    light = np.repeat(linear_table(space, levels)[:, None], 3, axis=1)
    if space.high_dynamic_range:
        light = to_display(light, space, matrices.to_xyz(space.primaries)[1], peak)
    return _encode(light)[:, 1]


def _encode(light: Floats) -> NDArray[np.uint8]:
    steps = np.clip(light, 0, 1) * np.float32(_STEPS - 1) + np.float32(0.5)
    return _encoding_table()[steps.astype(np.uint16)]


@lru_cache(maxsize=1)
def _encoding_table() -> NDArray[np.uint8]:
    light = np.arange(_STEPS, dtype=np.float64) / (_STEPS - 1)
    return np.round(srgb_coded(light) * 255).astype(np.uint8)
