"""Decide what a file says about its colours: an ICC profile, or a description of another kind."""

from typing import TypeAlias, cast

from PIL import Image
from PIL.ImageFile import ImageFile

from libs.imaging.colour import icc_profiles
from libs.imaging.colour.spaces import ColourSpace
from libs.imaging.formats import FORMATS, FormatName

SourceColours: TypeAlias = bytes | ColourSpace | None
"""An ICC profile or a described colour space; None is sRGB."""


def read_source_colours(image: ImageFile, described: ColourSpace | None, mode: str) -> SourceColours:
    """Return what applies to pixels of `mode`; a profile that does not fit them is ignored."""
    if described and described.overrides_profile:
        return described
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and icc_profiles.fits(profile, mode) else described


def are_srgb(colours: SourceColours, mode: str) -> bool:
    """Return whether converting to sRGB changes no colours."""
    if isinstance(colours, ColourSpace):
        return colours.is_srgb
    return mode != "CMYK" and (not colours or icc_profiles.is_srgb(colours, mode))


def can_keep(colours: SourceColours, name: FormatName) -> bool:
    """Return whether a file of the format `name` can say what its colours are."""
    if not isinstance(colours, ColourSpace):
        return FORMATS[name].profiles
    if colours.high_dynamic_range or not colours.full_range:
        return name == "png" or (name == "avif" and colours.full_range)
    return FORMATS[name].profiles


def greatest_light(image: Image.Image, colours: SourceColours, *, animated: bool) -> float:
    """Return the brightest light in a picture of high dynamic range, in cd/m2; 0 for other pictures.

    An animation counts as having the greatest light that its colour space can hold, so that all frames are
    converted alike.
    """
    if not isinstance(colours, ColourSpace) or not colours.high_dynamic_range:
        return 0.0
    from libs.imaging.colour import conversion  # NumPy is for few files

    bands = image.getbands()
    extrema = image.getextrema()
    pairs = cast(list[tuple[int, int]], [extrema] if len(bands) == 1 else extrema)
    greatest = max(pair[1] for pair, band in zip(pairs, bands, strict=True) if band != "A")
    return conversion.picture_peak(greatest, 256, colours, animated=animated)


def to_srgb(image: Image.Image, colours: SourceColours, peak: float) -> Image.Image:
    """Convert to L, LA, RGB or RGBA in sRGB; `peak` is that of `conversion.picture_peak`."""
    if isinstance(colours, ColourSpace) and image.mode not in {"CMYK", "LAB"}:
        from libs.imaging.colour import conversion  # NumPy is for few files

        return conversion.to_srgb(image, colours, peak)
    return icc_profiles.to_srgb(image, colours if isinstance(colours, bytes) else None)
