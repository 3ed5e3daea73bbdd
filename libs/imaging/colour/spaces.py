"""Colour spaces as files describe them: by code points, or by chromaticities and a gamma."""

from typing import Literal, TypeAlias

from msgspec import Struct

Chromaticities: TypeAlias = tuple[float, float, float, float, float, float, float, float]
"""CIE 1931 x and y of red, green, blue and white."""

Curve: TypeAlias = Literal["srgb", "smpte240", "linear", "st428", "pq", "hlg"] | float
"""A transfer function by name, or the exponent of a pure power function."""

_D65 = (0.3127, 0.3290)
_ILLUMINANT_C = (0.310, 0.316)

SRGB_PRIMARIES: Chromaticities = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65)

_PRIMARIES: dict[int, Chromaticities] = {
    1: SRGB_PRIMARIES,
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_ILLUMINANT_C),
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_ILLUMINANT_C),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    10: (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
"""ITU-T H.273, table 2."""

_CURVES: dict[int, Curve] = {
    4: 2.2,
    5: 2.8,
    7: "smpte240",
    8: "linear",
    13: "srgb",
    16: "pq",
    17: "st428",
    18: "hlg",
}
"""ITU-T H.273, table 3, without those of television and those that no browser knows."""

_TELEVISION = {1, 6, 11, 14, 15}
"""BT.709 and its relatives: they are the curve of a camera, and a screen has another."""

BT1886 = 2.4
"""The exponent of the reference display for television (ITU-R BT.1886)."""

UNSPECIFIED = 2

_SAME_GAMMA = 0.05
"""A gamma this close to 2.2, relatively, is sRGB's own: libpng's PNG_GAMMA_THRESHOLD."""

_SAME_CHROMATICITY = 0.0002


class CodePoints(Struct, frozen=True):
    """Coding-independent code points of ITU-T H.273, as PNG's cICP and AVIF's nclx store them."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


class ColourSpace(Struct, frozen=True, kw_only=True):
    """An RGB colour space; grey pixels have its transfer function and its white."""

    primaries: Chromaticities
    curve: Curve
    full_range: bool = True  # otherwise black is 16 and white is 235, of 255
    code_points: CodePoints | None = None
    overrides_profile: bool = False  # the file's ICC profile does not count

    @property
    def is_srgb(self) -> bool:
        """Whether pixels need no conversion."""
        return self.curve == "srgb" and self.full_range and _close(self.primaries, SRGB_PRIMARIES)

    @property
    def high_dynamic_range(self) -> bool:
        """Whether values above the white of a page or a screen can be stored."""
        return self.curve in {"pq", "hlg"}


def from_code_points(
    points: CodePoints, *, television: Curve, overrides_profile: bool = False
) -> ColourSpace | None:
    """Return the colour space of code points; None if one of them is unknown.

    Unspecified primaries or an unspecified transfer function are taken as sRGB's. The transfer functions of
    television are taken as `television`.
    """
    primaries = SRGB_PRIMARIES if points.primaries == UNSPECIFIED else _PRIMARIES.get(points.primaries)
    curve = "srgb" if points.transfer == UNSPECIFIED else _CURVES.get(points.transfer)
    if points.transfer in _TELEVISION:
        curve = television
    if primaries is None or curve is None:
        return None
    return ColourSpace(
        primaries=primaries,
        curve=curve,
        full_range=points.full_range,
        code_points=points,
        overrides_profile=overrides_profile,
    )


def from_gamma(exponent: float, primaries: Chromaticities | None) -> ColourSpace | None:
    """Return the colour space of a decoding exponent, such as 2.2, and chromaticities; None if impossible.

    Encoders of sRGB write the exponent 2.2 for old decoders, so alone it is taken as sRGB's curve.
    """
    if not 0.1 <= exponent <= 10 or not _plausible(primaries or SRGB_PRIMARIES):
        return None
    of_srgb = primaries is None and abs(exponent / 2.2 - 1) <= _SAME_GAMMA
    return ColourSpace(primaries=primaries or SRGB_PRIMARIES, curve="srgb" if of_srgb else exponent)


def _close(first: Chromaticities, second: Chromaticities) -> bool:
    return all(abs(a - b) <= _SAME_CHROMATICITY for a, b in zip(first, second, strict=True))


def _plausible(primaries: Chromaticities) -> bool:
    """Return whether the primaries span a triangle and the white can be normalised."""
    red_x, red_y, green_x, green_y, blue_x, blue_y, _, white_y = primaries
    area = (green_x - red_x) * (blue_y - red_y) - (blue_x - red_x) * (green_y - red_y)
    return abs(area) > 1e-3 and white_y > 1e-3
