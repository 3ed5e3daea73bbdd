"""How near a turn by any angle comes to one by splines."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false

import math
from itertools import product
from typing import Any

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter

from tests.imaging.float_reference import psnr

_ORDER = 5
_REACH = 20  # pixels of the source around a region: what is farther off weighs nothing in a spline
_TRIED, _SHOWN = 160, 1000  # sides of the regions in the middle that are aligned, and compared
_SHIFTS = np.arange(-1, 1.01, 0.25)


def turned_psnr(found: Any, source: Any, degrees: float) -> float:
    """Compare the middle of a picture that was turned clockwise, in dB.

    Engines lay the turned picture on their canvas each in its own way, up to a pixel apart: the reference is
    moved to where it fits best.
    """
    tried = _middle(found, _TRIED)[..., 1:2]
    green = source[..., 1:2]
    fits = {
        shift: psnr(tried, _turned(green, found.shape, degrees, _TRIED, shift))
        for shift in product(_SHIFTS, repeat=2)
    }
    best = max(fits, key=lambda shift: fits[shift])
    return psnr(_middle(found, _SHOWN), _turned(source, found.shape, degrees, _SHOWN, best))


def _middle(pixels: Any, side: int) -> Any:
    top, left = (length // 2 - side // 2 for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


def _turned(source: Any, canvas: tuple[int, ...], degrees: float, side: int, shift: tuple[float, ...]) -> Any:
    """The middle of the turned source, by a spline of the fifth order."""
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
