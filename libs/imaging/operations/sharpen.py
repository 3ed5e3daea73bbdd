"""Sharpen an image."""

from typing import Annotated

from msgspec import Meta
from PIL.Image import Image
from PIL.ImageFilter import UnsharpMask

from libs.imaging.operations.colour_channels import run_filter
from libs.imaging.operations.operation import Operation


class Sharpen(Operation, frozen=True, kw_only=True, tag="sharpen"):
    """Apply an unsharp mask: add `amount` times the difference to a blur of `radius` pixels."""

    radius: Annotated[float, Meta(gt=0, le=250)] = 2.0
    """The radius of the blur, in pixels."""
    amount: Annotated[float, Meta(gt=0, le=10)] = 1.0
    """How much of the difference is added."""

    def apply(self, image: Image) -> Image:
        kernel = UnsharpMask(self.radius, round(self.amount * 100), 0)
        return run_filter(image, lambda pixels: pixels.filter(kernel))
