"""Electro-optical transfer functions: coded values from 0 to 1 to linear light."""

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from libs.imaging.colour.spaces import ColourSpace

Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.float64]

PQ_PEAK_CD_M2 = 10_000

_M1, _M2 = 2610 / 16_384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
"""Constants of PQ (SMPTE ST 2084, ITU-R BT.2100 table 4)."""

_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
"""Constants of HLG (ITU-R BT.2100 table 5)."""


@lru_cache(maxsize=8)
def linear_table(space: ColourSpace, levels: int) -> Floats:
    """Return the light of each of `levels` coded values: 1 is white; for PQ, 10,000 cd/m2; for HLG, the peak.

    HLG's light is that of the scene.
    """
    values = np.arange(levels, dtype=np.float64)
    if space.full_range:
        coded = values / (levels - 1)
    else:
        unit = levels / 256
        coded = (values - 16 * unit) / (219 * unit)
    return to_linear(np.clip(coded, 0, 1), space).astype(np.float32)


def to_linear(coded: Doubles, space: ColourSpace) -> Doubles:
    """Return the light of coded values from 0 to 1."""
    curve = space.curve
    if isinstance(curve, float | int):
        return coded**curve
    match curve:
        case "srgb":
            return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
        case "smpte240":
            return np.where(coded < 0.0913, coded / 4, ((coded + 0.1115) / 1.1115) ** (1 / 0.45))
        case "linear":
            return coded
        case "st428":
            return np.minimum(coded**2.6 * (52.37 / 48), 1)
        case "pq":
            return pq_to_linear(coded)
        case "hlg":
            return np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - _C) / _A) + _B) / 12)


def pq_to_linear(coded: Doubles) -> Doubles:
    """Return light as a fraction of 10,000 cd/m2."""
    root = np.clip(coded, 0, 1) ** (1 / _M2)
    return (np.maximum(root - _C1, 0) / (_C2 - _C3 * root)) ** (1 / _M1)


def linear_to_pq(light: Doubles) -> Doubles:
    """Return the coded values of light, which is a fraction of 10,000 cd/m2."""
    power = np.clip(light, 0, 1) ** _M1
    return ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2


def srgb_coded(light: Doubles) -> Doubles:
    """Return the coded values of light from 0 to 1 in sRGB (IEC 61966-2-1)."""
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
