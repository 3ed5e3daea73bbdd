"""Parse colours as clients write them."""

from typing import Annotated, TypeAlias

from msgspec import Meta
from PIL import ImageColor

RGBA: TypeAlias = tuple[int, int, int, int]

WHITE: RGBA = (255, 255, 255, 255)
TRANSPARENT: RGBA = (0, 0, 0, 0)

_HEX = "#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})"
_NAMES = "|".join(["transparent", *sorted(ImageColor.colormap)])

COLOUR = Meta(
    pattern=rf"^(?:{_HEX}|{_NAMES})$(?!\n)",
    description="`#rgb`, `#rrggbb`, `#rrggbbaa`, or a CSS name in lower case",
)
Colour: TypeAlias = Annotated[str, COLOUR]


def parse_colour(colour: str) -> RGBA:
    """Return red, green, blue and alpha of a valid `Colour`, each from 0 to 255."""
    if colour == "transparent":
        return TRANSPARENT
    red, green, blue, *alpha = ImageColor.getrgb(colour)
    return red, green, blue, alpha[0] if alpha else 255


def premultiplied(colour: RGBA) -> RGBA:
    """Multiply red, green and blue by alpha, as Pillow's mode `RGBa` stores them."""
    red, green, blue, alpha = colour
    return round(red * alpha / 255), round(green * alpha / 255), round(blue * alpha / 255), alpha
