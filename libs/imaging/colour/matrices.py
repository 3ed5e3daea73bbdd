"""Matrices between linear RGB colour spaces and CIE XYZ."""

from functools import lru_cache

import numpy as np

from libs.imaging.colour.spaces import SRGB_PRIMARIES, Chromaticities
from libs.imaging.colour.transfer_functions import Doubles

D50 = np.array([0.9642, 1.0, 0.8249])
"""The white of ICC profiles (ICC.1, 7.2.16)."""

_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@lru_cache(maxsize=16)
def to_xyz(primaries: Chromaticities) -> Doubles:
    """Return the matrix from linear RGB to XYZ, where white has Y = 1."""
    columns = np.stack([_xyz(*primaries[at : at + 2]) for at in (0, 2, 4)], axis=1)
    return columns * np.linalg.solve(columns, _xyz(*primaries[6:]))


@lru_cache(maxsize=16)
def to_srgb(primaries: Chromaticities) -> Doubles:
    """Return the matrix from linear RGB to linear sRGB; white stays white."""
    adapted = adaptation(_xyz(*primaries[6:]), _xyz(*SRGB_PRIMARIES[6:])) @ to_xyz(primaries)
    return np.linalg.solve(to_xyz(SRGB_PRIMARIES), adapted).astype(np.float64)


def to_d50(primaries: Chromaticities) -> tuple[Doubles, Doubles]:
    """Return the matrix from linear RGB to XYZ with the white D50, and the adaptation that it contains."""
    adapted = adaptation(_xyz(*primaries[6:]), D50)
    return adapted @ to_xyz(primaries), adapted


def adaptation(white: Doubles, other_white: Doubles) -> Doubles:
    """Return the linear Bradford adaptation from one white to another."""
    scale = (_BRADFORD @ other_white) / (_BRADFORD @ white)
    return np.linalg.solve(_BRADFORD, scale[:, None] * _BRADFORD).astype(np.float64)


def _xyz(x: float, y: float) -> Doubles:
    if y == 0:  # XYZ itself as primaries
        return np.array([1.0, 0.0, 0.0]) if x else np.array([0.0, 0.0, 1.0])
    return np.array([x / y, 1.0, (1 - x - y) / y])
