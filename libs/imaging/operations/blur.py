"""Blurring."""

import math
from typing import Annotated

from msgspec import Meta
from PIL.Image import Image, Resampling
from PIL.ImageFilter import GaussianBlur

from libs.imaging.operations.colour_channels import run_filter
from libs.imaging.operations.operation import Operation

_SHRINKS = ((5.0, 4), (4.0, 3), (2.5, 2))
"""From which sigma on to work on an image that is smaller by which factor: 50 dB, at a third of the time."""


class Blur(Operation, frozen=True, kw_only=True, tag="blur"):
    """Gaussian blur; `sigma` is its standard deviation in pixels."""

    sigma: Annotated[float, Meta(gt=0, le=250)] = 2.0

    def apply(self, image: Image) -> Image:
        return run_filter(image, self._blurred)

    def _blurred(self, pixels: Image) -> Image:
        shrink = next((factor for least, factor in _SHRINKS if self.sigma >= least), 1)
        if shrink == 1 or min(pixels.size) < 8 * shrink:
            return pixels.filter(GaussianBlur(self.sigma))
        # The mean of a square is a blur itself; its variance is taken off.
        rest = math.sqrt(self.sigma**2 - (shrink**2 - 1) / 12) / shrink
        small = pixels.reduce(shrink).filter(GaussianBlur(rest))
        box = (0, 0, pixels.width / shrink, pixels.height / shrink)
        return small.resize(pixels.size, Resampling.BICUBIC, box=box)
