"""Replace the colours of an image by a gradient over its brightness."""

from PIL import ImageOps
from PIL.Image import Image

from libs.imaging.colours import Colour, parse_colour
from libs.imaging.operations.colour_channels import on_colours
from libs.imaging.operations.operation import Operation


class Tint(Operation, frozen=True, kw_only=True, tag="tint"):
    """Tone the image in one colour: black and white stay, mid-grey becomes `color`."""

    color: Colour
    """What mid-grey becomes."""

    def apply(self, image: Image) -> Image:
        middle = parse_colour(self.color)[:3]
        return on_colours(
            image,
            lambda colours: ImageOps.colorize(colours.convert("L"), (0, 0, 0), (255, 255, 255), middle),
        )


class Duotone(Operation, frozen=True, kw_only=True, tag="duotone"):
    """Map black to `shadow`, white to `highlight`, and greys to the colours between."""

    shadow: Colour
    """What black becomes."""
    highlight: Colour
    """What white becomes."""

    def apply(self, image: Image) -> Image:
        dark, light = parse_colour(self.shadow)[:3], parse_colour(self.highlight)[:3]
        return on_colours(image, lambda colours: ImageOps.colorize(colours.convert("L"), dark, light))
