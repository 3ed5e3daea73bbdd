"""Tone an image in sepia, the brown of old photographs."""

from PIL.Image import Image

from libs.imaging.operations.colour_channels import as_colour, on_colours
from libs.imaging.operations.operation import Operation

# The coefficients in common use, such as those of the CSS `sepia()` filter.
_MATRIX = (0.393, 0.769, 0.189, 0.0, 0.349, 0.686, 0.168, 0.0, 0.272, 0.534, 0.131, 0.0)
_STRIP_HEIGHT = 64


class Sepia(Operation, frozen=True, kw_only=True, tag="sepia"):
    """Tone the image in brown, with the matrix of the CSS `sepia()` filter; transparency stays."""

    def apply(self, image: Image) -> Image:
        return on_colours(as_colour(image), _apply_matrix)


def _apply_matrix(colours: Image) -> Image:
    """Convert strips that fit the processor's cache, which is faster than allocating a second image."""
    for top in range(0, colours.height, _STRIP_HEIGHT):
        strip = (0, top, colours.width, min(top + _STRIP_HEIGHT, colours.height))
        colours.paste(colours.crop(strip).convert("RGB", _MATRIX), strip)
    return colours
