"""Blurring."""

from typing import Annotated

from msgspec import Meta
from PIL.Image import Image
from PIL.ImageFilter import GaussianBlur

from libs.imaging.operations.filtering import run_filter
from libs.imaging.operations.operation import Operation


class Blur(Operation, frozen=True, kw_only=True, tag="blur"):
    """Gaussian blur; `sigma` is its standard deviation in pixels."""

    sigma: Annotated[float, Meta(gt=0, le=250)] = 2.0

    def apply(self, image: Image) -> Image:
        return run_filter(image, GaussianBlur(self.sigma))
