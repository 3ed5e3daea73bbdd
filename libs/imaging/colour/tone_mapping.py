"""Fit high dynamic range into the range of sRGB without clipping highlights.

The light of a PQ picture is absolute; an HLG picture is shown as on a display of 1,000 cd/m2 (ITU-R BT.2100,
table 5: the OOTF). White of sRGB is the reference white of 203 cd/m2 (ITU-R BT.2408). Light up to the peak of
the picture is compressed by the EETF of ITU-R BT.2390 (5.4.1), applied to the greatest of red, green and blue
so that hues stay. What sRGB cannot show that bright is desaturated. A picture without highlights is not
compressed.
"""

import numpy as np

from libs.imaging.colour.spaces import ColourSpace
from libs.imaging.colour.transfer_functions import (
    PQ_PEAK_CD_M2,
    Doubles,
    Floats,
    linear_table,
    linear_to_pq,
    pq_to_linear,
)

REFERENCE_WHITE_CD_M2 = 203
HLG_PEAK_CD_M2 = 1000
_HLG_GAMMA = 1.2  # of the OOTF for a display of 1,000 cd/m2
_STEPS = 4096
_SRGB_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)


def peak_cd_m2(space: ColourSpace, greatest: int, levels: int) -> float:
    """Return the brightest light in a picture with the greatest coded value `greatest`; at least white's."""
    light = float(linear_table(space, levels)[greatest])
    absolute = light * PQ_PEAK_CD_M2 if space.curve == "pq" else light**_HLG_GAMMA * HLG_PEAK_CD_M2
    return max(absolute, REFERENCE_WHITE_CD_M2)


def to_display(light: Floats, space: ColourSpace, luminance: Doubles, peak: float) -> Floats:
    """Return light relative to the white of sRGB, from 0 to 1.

    Args:
        light: Red, green and blue of `linear_table` on the last axis.
        space: A colour space of high dynamic range.
        luminance: The weights of red, green and blue.
        peak: The brightest light of the picture in cd/m2; what is brighter is clipped.
    """
    if space.curve == "pq":
        absolute = light * np.float32(PQ_PEAK_CD_M2)
    else:
        scene = np.maximum(light @ luminance.astype(np.float32), np.float32(1e-9))
        absolute = light * (scene ** np.float32(_HLG_GAMMA - 1) * HLG_PEAK_CD_M2)[..., None]
    if peak <= REFERENCE_WHITE_CD_M2:
        return np.clip(absolute / np.float32(REFERENCE_WHITE_CD_M2), 0, 1)
    greatest = absolute.max(axis=-1)
    return absolute * _gain(greatest, peak)[..., None]


def desaturate(light: Floats) -> Floats:
    """Mix colours that are too saturated for sRGB with grey of their luminance until no channel is above 1.

    Otherwise steps of brightness in a saturated light would be clipped.
    """
    luminance = light @ _SRGB_LUMINANCE
    excess = np.maximum(light.max(axis=-1) - luminance, np.float32(1e-6))
    share = np.clip((1 - luminance) / excess, 0, 1)[..., None]
    return luminance[..., None] + (light - luminance[..., None]) * share


def _gain(greatest: Floats, peak: float) -> Floats:
    """Return the factor from cd/m2 to display light for pixels whose brightest channel is `greatest`."""
    coded = np.linspace(0, 1, _STEPS) * linear_to_pq(np.array(peak / PQ_PEAK_CD_M2))
    before = np.maximum(pq_to_linear(coded) * PQ_PEAK_CD_M2, 1e-6)
    after = pq_to_linear(eetf(coded, peak)) * PQ_PEAK_CD_M2 / REFERENCE_WHITE_CD_M2
    gain = np.minimum(after / before, 1 / REFERENCE_WHITE_CD_M2)
    # Below the knee the gain is constant, so the interpolation in cd/m2 is exact enough in the shadows.
    gain[0] = 1 / REFERENCE_WHITE_CD_M2
    return np.interp(greatest, before, gain).astype(np.float32)


def eetf(coded: Doubles, peak: float) -> Doubles:
    """Compress PQ values up to `peak` cd/m2 so that the peak becomes the reference white (BT.2390, 5.4.1)."""
    source = linear_to_pq(np.array(peak / PQ_PEAK_CD_M2))
    target = linear_to_pq(np.array(REFERENCE_WHITE_CD_M2 / PQ_PEAK_CD_M2)) / source
    knee = 1.5 * target - 0.5
    value = np.clip(coded / source, 0, 1)
    t = np.clip((value - knee) / (1 - knee), 0, 1)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * target
    )
    return np.where(value < knee, value, spline) * source
