"""Round the corners of an image."""

from PIL import Image as images
from PIL import ImageChops
from PIL.Image import Image

from libs.imaging.colours import Colour, parse_colour
from libs.imaging.compositing import paste_on_canvas, with_alpha
from libs.imaging.operations.operation import Operation, Pixels
from libs.imaging.resampling import scale

_SUPERSAMPLING = 8


class RoundCorners(Operation, frozen=True, kw_only=True, tag="round_corners"):
    """Round the corners with a `radius` in pixels, which is limited to half the shorter side.

    Corners have the colour `background`; without one they are transparent, or white if the format has no
    transparency.
    """

    radius: Pixels
    """The radius in pixels, at most half the shorter side."""
    background: Colour | None = None
    """The colour of the corners; without it, transparent, or white if the format has no transparency."""

    def apply(self, image: Image) -> Image:
        radius = min(self.radius, min(image.size) // 2)
        image = with_alpha(image)
        if radius:
            image.putalpha(_round_alpha(image.getchannel("A"), radius))
        if self.background is None:
            return image
        return paste_on_canvas(image, image.size, (0, 0), parse_colour(self.background))


def _round_alpha(alpha: Image, radius: int) -> Image:
    """Make the four corners of an alpha channel transparent; nothing else changes."""
    width, height = alpha.size
    corner = _quarter_disc(radius)
    for left, top in ((0, 0), (width - radius, 0), (0, height - radius), (width - radius, height - radius)):
        flipped = corner.transpose(images.Transpose.FLIP_LEFT_RIGHT) if left else corner
        flipped = flipped.transpose(images.Transpose.FLIP_TOP_BOTTOM) if top else flipped
        box = (left, top, left + radius, top + radius)
        alpha.paste(ImageChops.multiply(alpha.crop(box), flipped), box)
    return alpha


def _quarter_disc(radius: int) -> Image:
    """Draw the top left quarter of a disc, with smooth edges."""
    from PIL import ImageDraw  # loads FreeType, whose memory most jobs do not need

    factor = _SUPERSAMPLING if radius <= 1024 else 2
    side = radius * factor
    disc = images.new("L", (side, side))
    ImageDraw.Draw(disc).ellipse((0, 0, 2 * side - 1, 2 * side - 1), fill=255)
    return scale(disc, (radius, radius), "box")
