"""Add a border."""

from PIL.Image import Image

from libs.imaging.colours import TRANSPARENT, Colour, parse_colour
from libs.imaging.compositing import paste_on_canvas
from libs.imaging.geometry import Size
from libs.imaging.operations.operation import Coordinate, Operation


class Pad(Operation, frozen=True, kw_only=True, tag="pad"):
    """Extend the canvas by a number of pixels on each side.

    The border has the colour `color`; without one it is transparent, or white if the format has no
    transparency.
    """

    top: Coordinate = 0
    """Pixels to add at the top."""
    right: Coordinate = 0
    """Pixels to add at the right."""
    bottom: Coordinate = 0
    """Pixels to add at the bottom."""
    left: Coordinate = 0
    """Pixels to add at the left."""
    color: Colour | None = None
    """The colour of the border; without it, transparent, or white if the format has no transparency."""

    def __post_init__(self) -> None:
        if not (self.top or self.right or self.bottom or self.left):
            raise ValueError("pad needs at least one side")

    def result_size(self, size: Size) -> Size:
        return self.left + size[0] + self.right, self.top + size[1] + self.bottom

    def apply(self, image: Image) -> Image:
        colour = parse_colour(self.color) if self.color else TRANSPARENT
        return paste_on_canvas(image, self.result_size(image.size), (self.left, self.top), colour)
