"""The brown of old photographs."""

from PIL.Image import Image

from libs.imaging.compositing import has_alpha
from libs.imaging.operations.operation import Operation

_MATRIX = (0.393, 0.769, 0.189, 0.0, 0.349, 0.686, 0.168, 0.0, 0.272, 0.534, 0.131, 0.0)


class Sepia(Operation, frozen=True, kw_only=True, tag="sepia"):
    """Tone the image brown by the usual matrix, keeping transparency."""

    def apply(self, image: Image) -> Image:
        toned = image.convert("RGB").convert("RGB", _MATRIX)
        if has_alpha(image):
            toned.putalpha(image.getchannel("A"))
        return toned
