"""Changes that send each value of a channel to another one."""

from typing import Annotated

from msgspec import Meta
from PIL import Image as images
from PIL.Image import Image

from libs.imaging.operations.colour_channels import on_colours, on_levels
from libs.imaging.operations.operation import Operation

_Factor = Annotated[float, Meta(ge=0, le=10)]


class Invert(Operation, frozen=True, kw_only=True, tag="invert"):
    """Make a negative; transparency stays."""

    def apply(self, image: Image) -> Image:
        return on_levels(image, lambda value: 255 - value)


class Brightness(Operation, frozen=True, kw_only=True, tag="brightness"):
    """Multiply every value by `factor`, as CSS does; 0 is black, 1 changes nothing."""

    factor: _Factor

    def apply(self, image: Image) -> Image:
        return on_levels(image, lambda value: value * self.factor)


class Contrast(Operation, frozen=True, kw_only=True, tag="contrast"):
    """Spread values away from the middle by `factor`, as CSS does; 0 is grey, 1 changes nothing."""

    factor: _Factor

    def apply(self, image: Image) -> Image:
        return on_levels(image, lambda value: (value - 127.5) * self.factor + 127.5)


class Saturation(Operation, frozen=True, kw_only=True, tag="saturation"):
    """Move colours away from their grey by `factor`; 0 is grayscale, 1 changes nothing."""

    factor: _Factor

    def apply(self, image: Image) -> Image:
        if image.mode in {"L", "LA"}:
            return image
        return on_colours(
            image, lambda colours: images.blend(colours.convert("L").convert("RGB"), colours, self.factor)
        )


class Gamma(Operation, frozen=True, kw_only=True, tag="gamma"):
    """Raise every value, as a share of 255, to the power 1/`gamma`: above 1 the dark parts grow lighter."""

    gamma: Annotated[float, Meta(ge=0.1, le=10)]

    def apply(self, image: Image) -> Image:
        return on_levels(image, lambda value: 255 * (value / 255) ** (1 / self.gamma))


class Posterize(Operation, frozen=True, kw_only=True, tag="posterize"):
    """Keep the highest `bits` of each channel."""

    bits: Annotated[int, Meta(ge=1, le=8)]

    def apply(self, image: Image) -> Image:
        return on_levels(image, lambda value: value & ~(2 ** (8 - self.bits) - 1))


class Solarize(Operation, frozen=True, kw_only=True, tag="solarize"):
    """Invert every value that is `threshold` or above."""

    threshold: Annotated[int, Meta(ge=0, le=255)] = 128

    def apply(self, image: Image) -> Image:
        return on_levels(image, lambda value: value if value < self.threshold else 255 - value)
