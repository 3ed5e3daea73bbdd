"""Darkening towards the corners."""

from PIL import Image as images
from PIL import ImageChops
from PIL.Image import Image, Resampling

from libs.imaging.geometry import Share, Size
from libs.imaging.operations.colour_channels import merge, on_colours
from libs.imaging.operations.operation import Operation

_SIDE = 257


class Vignette(Operation, frozen=True, kw_only=True, tag="vignette"):
    """Darken with the square of the distance from the centre: by `strength` in the corners."""

    strength: Share = 0.5

    def apply(self, image: Image) -> Image:
        return on_colours(image, self._darken)

    def _darken(self, colours: Image) -> Image:
        mask = self._mask(colours.size)
        return ImageChops.multiply(colours, merge([mask] * len(colours.getbands())))

    def _mask(self, size: Size) -> Image:
        """Make what the pixels are multiplied by; worked out small, as it is smooth."""
        middle = (_SIDE - 1) / 2
        squares = [((at - middle) / (middle + 0.5)) ** 2 / 2 for at in range(_SIDE)]
        values = bytes(round(255 * (1 - self.strength * (y + x))) for y in squares for x in squares)
        return images.frombytes("L", (_SIDE, _SIDE), values).resize(size, Resampling.BICUBIC)
