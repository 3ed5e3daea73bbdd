"""Blur an image."""

import math
from typing import Annotated

from msgspec import Meta
from PIL.Image import Image
from PIL.ImageFilter import GaussianBlur

from libs.imaging.geometry import Box
from libs.imaging.operations.colour_channels import run_filter
from libs.imaging.operations.operation import Operation
from libs.imaging.resampling import scale

_SHRINKS = ((5.0, 4), (4.0, 3), (2.5, 2))
"""Least sigma, and the factor to reduce the image by before blurring: 50 dB PSNR in a third of the time."""


class Blur(Operation, frozen=True, kw_only=True, tag="blur"):
    """Blur with a Gaussian; `sigma` is its standard deviation in pixels."""

    sigma: Annotated[float, Meta(gt=0, le=250)] = 2.0
    """The standard deviation in pixels."""

    def apply(self, image: Image) -> Image:
        return run_filter(image, self._blur)

    def _blur(self, pixels: Image) -> Image:
        shrink = next((factor for least_sigma, factor in _SHRINKS if self.sigma >= least_sigma), 1)
        if shrink == 1 or min(pixels.size) < 8 * shrink:
            return pixels.filter(GaussianBlur(self.sigma))
        # Reducing is a box blur too, so its variance is subtracted.
        sigma = math.sqrt(self.sigma**2 - (shrink**2 - 1) / 12) / shrink
        small = pixels.reduce(shrink).filter(GaussianBlur(sigma))
        box = Box(0, 0, pixels.width / shrink, pixels.height / shrink)
        return scale(small, pixels.size, "bicubic", box)
