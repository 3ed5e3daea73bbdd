"""Compare a rotation by any angle with one by splines."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false

import math
from itertools import product
from typing import Any

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter

from tests.imaging.float_reference import psnr

_ORDER = 5
_REACH = 20  # pixels of the source around a region; farther pixels have no weight in a spline
_ALIGNED_SIDE, _COMPARED_SIDE = 160, 1000  # sides of the central regions to align and to compare
_SHIFTS = np.arange(-1, 1.01, 0.25)


def rotated_psnr(found: Any, source: Any, degrees: float) -> float:
    """Return the PSNR of the central region of an image that was rotated clockwise, in dB.

    Engines place the rotated image on their canvas up to a pixel apart, so the reference is first shifted to
    where it fits best.
    """
    aligned = _centre(found, _ALIGNED_SIDE)[..., 1:2]
    green = source[..., 1:2]
    fits = {
        shift: psnr(aligned, _rotated(green, found.shape, degrees, _ALIGNED_SIDE, shift))
        for shift in product(_SHIFTS, repeat=2)
    }
    best = max(fits, key=lambda shift: fits[shift])
    return psnr(_centre(found, _COMPARED_SIDE), _rotated(source, found.shape, degrees, _COMPARED_SIDE, best))


def _centre(pixels: Any, side: int) -> Any:
    top, left = (length // 2 - side // 2 for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


def _rotated(
    source: Any, canvas: tuple[int, ...], degrees: float, side: int, shift: tuple[float, ...]
) -> Any:
    """Return the central region of the rotated source, by a spline of the fifth order."""
    down, across = (
        np.arange(length // 2 - side // 2, length // 2 - side // 2 + side) + 0.5 - length / 2 + moved
        for length, moved in zip(canvas[:2], shift, strict=True)
    )
    x, y = np.meshgrid(across, down)
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    rows = -sine * x + cosine * y + source.shape[0] / 2 - 0.5
    columns = cosine * x + sine * y + source.shape[1] / 2 - 0.5
    top, left = int(rows.min()) - _REACH, int(columns.min()) - _REACH
    region = source[top : int(rows.max()) + _REACH, left : int(columns.max()) + _REACH].astype(np.float64)
    places = [rows - top, columns - left]
    channels = [
        map_coordinates(spline_filter(region[..., channel], _ORDER), places, order=_ORDER, prefilter=False)
        for channel in range(region.shape[2])
    ]
    return np.clip(np.stack(channels, axis=-1), 0, 255)
