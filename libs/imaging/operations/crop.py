"""Cutting out a box."""

from PIL.Image import Image

from libs.imaging.errors import CropOutside
from libs.imaging.geometry import Size
from libs.imaging.operations.operation import Coordinate, Operation, Pixels


class Crop(Operation, frozen=True, kw_only=True, tag="crop"):
    """Keep only a box; `x` and `y` are its left and top. It must lie within the image."""

    x: Coordinate = 0
    y: Coordinate = 0
    width: Pixels
    height: Pixels

    def result_size(self, size: Size) -> Size:
        if self.x + self.width > size[0] or self.y + self.height > size[1]:
            raise CropOutside((self.x, self.y, self.width, self.height), size)
        return self.width, self.height

    def apply(self, image: Image) -> Image:
        self.result_size(image.size)
        return image.crop((self.x, self.y, self.x + self.width, self.y + self.height))
