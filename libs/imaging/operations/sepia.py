"""The brown of old photographs."""

from PIL.Image import Image

from libs.imaging.operations.colour_channels import as_colour, on_colours
from libs.imaging.operations.operation import Operation

_MATRIX = (0.393, 0.769, 0.189, 0.0, 0.349, 0.686, 0.168, 0.0, 0.272, 0.534, 0.131, 0.0)
_STRIP = 64


class Sepia(Operation, frozen=True, kw_only=True, tag="sepia"):
    """Tone the image brown by the usual matrix, keeping transparency."""

    def apply(self, image: Image) -> Image:
        return on_colours(as_colour(image), _toned)


def _toned(colours: Image) -> Image:
    """Go down the image in strips that fit a processor's cache: memory for a second one would cost more."""
    for top in range(0, colours.height, _STRIP):
        strip = (0, top, colours.width, min(top + _STRIP, colours.height))
        colours.paste(colours.crop(strip).convert("RGB", _MATRIX), strip)
    return colours
