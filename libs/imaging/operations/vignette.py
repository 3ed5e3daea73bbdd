"""Darken an image towards its corners."""

from PIL import Image as images
from PIL import ImageChops
from PIL.Image import Image

from libs.imaging.geometry import Fraction, Size
from libs.imaging.operations.colour_channels import merge, on_colours
from libs.imaging.operations.operation import Operation
from libs.imaging.resampling import scale

_MASK_SIDE = 257


class Vignette(Operation, frozen=True, kw_only=True, tag="vignette"):
    """Darken with the square of the distance from the centre; in the corners by `strength`."""

    strength: Fraction = 0.5
    """How much darker the corners become, 0 to 1."""

    def apply(self, image: Image) -> Image:
        return on_colours(image, self._darken)

    def _darken(self, colours: Image) -> Image:
        mask = self._mask(colours.size)
        return ImageChops.multiply(colours, merge([mask] * len(colours.getbands())))

    def _mask(self, size: Size) -> Image:
        """Return the mask to multiply pixels by; it is smooth, so it is computed small and enlarged."""
        middle = (_MASK_SIDE - 1) / 2
        squares = [((at - middle) / (middle + 0.5)) ** 2 / 2 for at in range(_MASK_SIDE)]
        values = bytes(round(255 * (1 - self.strength * (y + x))) for y in squares for x in squares)
        return scale(images.frombytes("L", (_MASK_SIDE, _MASK_SIDE), values), size, "bicubic")
