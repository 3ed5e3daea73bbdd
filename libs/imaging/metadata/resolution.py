"""The resolution of an image in dots per inch, in whatever place its format has for it."""

import math
from typing import Any, TypeAlias, cast

from PIL.ImageFile import ImageFile

from libs.imaging.formats import FormatName
from libs.imaging.metadata.tag_numbers import RESOLUTION_UNIT, X_RESOLUTION, Y_RESOLUTION
from libs.imaging.metadata.tag_values import integer_tag, numbers_of, rational_tag
from libs.imaging.metadata.tiff_block import SHORT, Block, Directory

Resolution: TypeAlias = tuple[float, float]
"""Dots per inch, horizontally and vertically."""

_INCH, _CENTIMETRE = 2, 3
_CM_PER_INCH = 2.54
_METRE = 0.0254  # one dot per metre, in dots per inch
_PER_METRE = {"PNG", "BMP"}
_HIGHEST = 1_000_000
_HIGHEST_IN_JFIF = 65_535
_ONLY_IN_EXIF = {"webp", "avif", "jxl"}


def read_resolution(image: ImageFile, exif: Block | None) -> Resolution | None:
    """Return the resolution that the file's header gives, or else its EXIF."""
    return (None if image.format == "TIFF" else _of_header(image)) or (_of_exif(exif) if exif else None)


def _of_header(image: ImageFile) -> Resolution | None:
    if image.format == "JPEG" and image.info.get("jfif_unit") not in {1, 2}:
        return None  # Pillow makes one up
    match image.info.get("dpi"):
        case (across, down):
            return _checked(across, down, per_metre=image.format in _PER_METRE)
        case _:
            return None


def _of_exif(exif: Block) -> Resolution | None:
    tags = [exif.root.find(number) for number in (X_RESOLUTION, Y_RESOLUTION)]
    sides = [numbers_of(tag, exif.order) if tag else () for tag in tags]
    unit_tag = exif.root.find(RESOLUTION_UNIT)
    unit = numbers_of(unit_tag, exif.order) if unit_tag else (_INCH,)
    if not sides[0] or not sides[1] or unit[:1] not in {(_INCH,), (_CENTIMETRE,)}:
        return None
    factor = _CM_PER_INCH if unit[0] == _CENTIMETRE else 1
    return _checked(float(sides[0][0]) * factor, float(sides[1][0]) * factor)


def _checked(across: object, down: object, *, per_metre: bool = False) -> Resolution | None:
    """Round to two decimals, or to a whole number if counting whole dots per metre leaves no difference."""
    try:
        sides = float(cast(float, across)), float(cast(float, down))
        if not all(math.isfinite(side) and 0 < side <= _HIGHEST for side in sides):
            return None
    except (TypeError, ValueError, ArithmeticError):
        return None
    whole = per_metre and all(abs(side - round(side)) <= _METRE / 2 for side in sides)
    return (round(sides[0], 0 if whole else 2), round(sides[1], 0 if whole else 2))


def put_resolution(exif: Block | None, resolution: Resolution, name: FormatName) -> Block | None:
    """Return EXIF that gives the resolution; one is made where the format has no other place."""
    if exif is None and name not in _ONLY_IN_EXIF:
        return None
    exif = exif.copy() if exif else Block("<", Directory())
    for number, side in zip((X_RESOLUTION, Y_RESOLUTION), resolution, strict=True):
        exif.root.put(rational_tag(number, side, exif.order))
    exif.root.put(integer_tag(RESOLUTION_UNIT, _INCH, exif.order, SHORT))
    return exif


def resolution_options(resolution: Resolution, name: FormatName) -> dict[str, Any]:
    """Return the encoder options that write the resolution into the file's header."""
    if name == "jpeg":
        fits = all(1 <= round(side) <= _HIGHEST_IN_JFIF for side in resolution)
        return {"dpi": resolution} if fits else {}
    return {"dpi": resolution} if name in {"png", "tiff", "bmp"} else {}
