"""Lay an edited picture back into its original, within the hole of a mask."""

from typing import TYPE_CHECKING, TypeAlias

from PIL import Image, ImageChops

from libs.imaging.compositing import has_alpha
from libs.imaging.resampling import scale

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Steps: TypeAlias = NDArray[np.uint8]

WORKING_SIDE = 1024
"""The border is computed at about this longest side; it is smooth, so a larger one would look the same."""

BORDER_FRACTION = 1 / 64
"""Width of the border within which the edit fades in, as a part of the longest side."""


def lay_back(original: Image.Image, edited: Image.Image, hole: Image.Image) -> Image.Image:
    """Return the original with the edited picture in the hole; the size is the original's.

    Outside the hole every pixel is the original's, exactly. Inside, the edited picture fades in, so that a
    difference in brightness makes no seam.

    Args:
        original: In mode L, LA, RGB or RGBA.
        edited: Of any size; it is stretched to the original's.
        hole: In mode L and of the original's size, 255 in the hole and 0 elsewhere.
    """
    if edited.size != original.size:
        edited = scale(edited, original.size)
    weight = feathered(hole)
    if not has_alpha(original) and not has_alpha(edited):
        return Image.composite(edited.convert("RGB"), original.convert("RGB"), weight)
    top, ground = (layer.convert("RGBA").convert("RGBa") for layer in (edited, original))  # clear: no colour
    mixed = Image.composite(top, ground, weight).convert("RGBA")
    mixed.paste(original.convert("RGBA"), (0, 0), weight.point([255] + [0] * 255))
    return mixed


def feathered(hole: Image.Image) -> Image.Image:
    """Return the weight of the edited picture: 0 outside the hole, growing to 255 with the distance inside.

    In a part of the hole that is narrower than two borders, the weight is 255 along its middle. The edge of
    the image is no edge of the hole.
    """
    import numpy as np  # here, because most importers do not need it

    factor = max(1, max(hole.size) // WORKING_SIDE)
    inside: Steps = (np.asarray(hole.reduce(factor)) > 0).astype(np.uint8)
    border = max(2, round(max(inside.shape) * BORDER_FRACTION))
    distance = np.zeros_like(inside)  # from the outside, `border` at most
    outside = 1 - inside
    for step in range(border):
        distance += 1 - outside
        outside = _grown(outside, diagonally=step % 2 == 1)
    reach = distance  # the distance in the middle of this part of the hole
    for step in range(border):
        reach = _grown(reach, diagonally=step % 2 == 1) * inside
    weight: Steps = (distance * np.float32(255) / np.maximum(reach, 1)).astype(np.uint8)
    smooth = scale(Image.fromarray(weight), hole.size, "bilinear")
    return ImageChops.darker(smooth, hole)


def _grown(area: "Steps", *, diagonally: bool) -> "Steps":
    """Return the greatest of each value and its four or eight neighbours.

    Growing by four and by eight in turn makes distances that are nearly the same in all directions.
    """
    import numpy as np

    height, width = area.shape
    padded: Steps = np.pad(area, 1)
    shifts = [(0, 1), (2, 1), (1, 0), (1, 2)]
    if diagonally:
        shifts += [(0, 0), (0, 2), (2, 0), (2, 2)]
    grown = area
    for down, across in shifts:
        grown = np.maximum(grown, padded[down : down + height, across : across + width])
    return grown
