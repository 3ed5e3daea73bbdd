"""Replace pixels by large squares, to hide what they show."""

import math
from typing import Annotated

from msgspec import Meta, Struct
from PIL.Image import Image

from libs.imaging.errors import CropOutside
from libs.imaging.geometry import Size
from libs.imaging.operations.colour_channels import run_filter
from libs.imaging.operations.operation import Coordinate, Operation, Pixels
from libs.imaging.resampling import scale


class Region(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A box in pixels."""

    x: Coordinate = 0
    """The left of the box."""
    y: Coordinate = 0
    """The top of the box."""
    width: Pixels
    """The width of the box."""
    height: Pixels
    """The height of the box."""


class Pixelate(Operation, frozen=True, kw_only=True, tag="pixelate"):
    """Replace squares of `size` pixels by their mean colour, in the whole image or within `box`.

    Squares start at the box's left and top; those at its right and bottom may be smaller. The box is clipped
    to the image; a box that lies completely outside is refused.
    """

    size: Annotated[int, Meta(ge=2, le=1024)] = 16
    """The side of a square, in pixels."""
    box: Region | None = None
    """The part to pixelate; without it, the whole image."""

    def result_size(self, size: Size) -> Size:
        self._box(size)
        return size

    def apply(self, image: Image) -> Image:
        box = self._box(image.size)
        image.paste(run_filter(image.crop(box), self._squares), box)
        return image

    def _squares(self, region: Image) -> Image:
        across, down = math.ceil(region.width / self.size), math.ceil(region.height / self.size)
        means = region.reduce(self.size)
        squares = scale(means, (across * self.size, down * self.size), "nearest")
        return squares.crop((0, 0, *region.size))

    def _box(self, size: Size) -> tuple[int, int, int, int]:
        if self.box is None:
            return 0, 0, *size
        left, top = self.box.x, self.box.y
        if left >= size[0] or top >= size[1]:
            raise CropOutside((left, top, self.box.width, self.box.height), size)
        return left, top, min(left + self.box.width, size[0]), min(top + self.box.height, size[1])
