"""Tone curves: operations that map each value of a channel to another."""

from typing import Annotated

from msgspec import Meta
from PIL import Image as images
from PIL.Image import Image

from libs.imaging.operations.colour_channels import on_colours, on_levels
from libs.imaging.operations.operation import Operation

_Factor = Annotated[float, Meta(ge=0, le=10)]


class Invert(Operation, frozen=True, kw_only=True, tag="invert"):
    """Invert colours; transparency stays."""

    def apply(self, image: Image) -> Image:
        return on_levels(image, lambda value: 255 - value)


class Brightness(Operation, frozen=True, kw_only=True, tag="brightness"):
    """Multiply every value by `factor`, as CSS `brightness()`; 0 is black, 1 changes nothing."""

    factor: _Factor
    """0 is black, 1 changes nothing."""

    def apply(self, image: Image) -> Image:
        return on_levels(image, lambda value: value * self.factor)


class Contrast(Operation, frozen=True, kw_only=True, tag="contrast"):
    """Scale the distance from mid-grey by `factor`, as CSS `contrast()`; 0 is grey, 1 changes nothing."""

    factor: _Factor
    """0 is grey, 1 changes nothing."""

    def apply(self, image: Image) -> Image:
        return on_levels(image, lambda value: (value - 127.5) * self.factor + 127.5)


class Saturation(Operation, frozen=True, kw_only=True, tag="saturation"):
    """Scale the distance of colours from grey by `factor`; 0 is grayscale, 1 changes nothing."""

    factor: _Factor
    """0 is grayscale, 1 changes nothing."""

    def apply(self, image: Image) -> Image:
        if image.mode in {"L", "LA"}:
            return image
        return on_colours(
            image, lambda colours: images.blend(colours.convert("L").convert("RGB"), colours, self.factor)
        )


class Gamma(Operation, frozen=True, kw_only=True, tag="gamma"):
    """Raise every value, divided by 255, to the power 1/`gamma`; above 1 dark parts become lighter."""

    gamma: Annotated[float, Meta(ge=0.1, le=10)]
    """Above 1, dark parts become lighter."""

    def apply(self, image: Image) -> Image:
        return on_levels(image, lambda value: 255 * (value / 255) ** (1 / self.gamma))


class Posterize(Operation, frozen=True, kw_only=True, tag="posterize"):
    """Keep the highest `bits` bits of each channel."""

    bits: Annotated[int, Meta(ge=1, le=8)]
    """How many bits of each channel stay."""

    def apply(self, image: Image) -> Image:
        return on_levels(image, lambda value: value & ~(2 ** (8 - self.bits) - 1))


class Solarize(Operation, frozen=True, kw_only=True, tag="solarize"):
    """Invert every value from `threshold` upwards."""

    threshold: Annotated[int, Meta(ge=0, le=255)] = 128
    """The least value that is inverted."""

    def apply(self, image: Image) -> Image:
        return on_levels(image, lambda value: value if value < self.threshold else 255 - value)
