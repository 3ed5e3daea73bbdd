"""The brown of old photographs."""

from PIL.Image import Image

from libs.imaging.operations.filtering import as_colour, on_colours
from libs.imaging.operations.operation import Operation

_MATRIX = (0.393, 0.769, 0.189, 0.0, 0.349, 0.686, 0.168, 0.0, 0.272, 0.534, 0.131, 0.0)


class Sepia(Operation, frozen=True, kw_only=True, tag="sepia"):
    """Tone the image brown by the usual matrix, keeping transparency."""

    def apply(self, image: Image) -> Image:
        return on_colours(as_colour(image), lambda colours: colours.convert("RGB", _MATRIX))
