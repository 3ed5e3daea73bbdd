"""Round corners."""

from PIL import Image as images
from PIL import ImageChops
from PIL.Image import Image, Resampling

from libs.imaging.colours import Colour, parse_colour
from libs.imaging.compositing import has_alpha, lay
from libs.imaging.operations.operation import Operation, Pixels

_FINER = 8


class RoundCorners(Operation, frozen=True, kw_only=True, tag="round_corners"):
    """Cut the corners round, with a `radius` in pixels of at most half the shorter side.

    They show `background`; without one they are transparent, or white where the format has no transparency.
    """

    radius: Pixels
    background: Colour | None = None

    def apply(self, image: Image) -> Image:
        radius = min(self.radius, min(image.size) // 2)
        clear = image if has_alpha(image) else image.convert("LA" if image.mode == "L" else "RGBA")
        if radius:
            clear.putalpha(_rounded(clear.getchannel("A"), radius))
        if self.background is None:
            return clear
        return lay(clear, clear.size, (0, 0), parse_colour(self.background))


def _rounded(alpha: Image, radius: int) -> Image:
    """Clear the four corners of an alpha channel; nothing else is touched."""
    width, height = alpha.size
    corner = _quarter(radius)
    for left, top in ((0, 0), (width - radius, 0), (0, height - radius), (width - radius, height - radius)):
        turned = corner.transpose(images.Transpose.FLIP_LEFT_RIGHT) if left else corner
        turned = turned.transpose(images.Transpose.FLIP_TOP_BOTTOM) if top else turned
        box = (left, top, left + radius, top + radius)
        alpha.paste(ImageChops.multiply(alpha.crop(box), turned), box)
    return alpha


def _quarter(radius: int) -> Image:
    """Draw the top left quarter of a disc, smoothly."""
    from PIL import ImageDraw  # brings FreeType along: memory that few jobs have a use for

    finer = _FINER if radius <= 1024 else 2
    side = radius * finer
    disc = images.new("L", (side, side))
    ImageDraw.Draw(disc).ellipse((0, 0, 2 * side - 1, 2 * side - 1), fill=255)
    return disc.resize((radius, radius), Resampling.BOX)
