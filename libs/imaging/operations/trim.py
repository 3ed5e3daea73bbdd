"""Cutting off a border of one colour."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from msgspec import Meta
from PIL import Image as images
from PIL import ImageChops
from PIL.Image import Image

from libs.imaging.colours import Colour, parse_colour
from libs.imaging.operations.operation import Change, Operation, Surroundings


class Trim(Operation, frozen=True, kw_only=True, tag="trim"):
    """Cut off the border that has one colour, on all four sides.

    The colour is `color`, or that of the top left pixel. Pixels belong to the border while no channel
    differs by more than `tolerance`, 0 to 255; clear pixels are alike whatever their colour. An image
    that is all border is left as it is. Of an animation, what is border in every frame is cut off.
    """

    color: Colour | None = None
    tolerance: Annotated[int, Meta(ge=0, le=255)] = 10

    foretold: ClassVar[bool] = False

    def apply(self, image: Image) -> Image:
        return self._change([image])(image)

    def prepare(self, frames: Sequence[Image], surroundings: Surroundings) -> Change:
        return self._change(frames)

    def _change(self, frames: Sequence[Image]) -> Change:
        boxes = [box for frame in frames if (box := self._box(frame))]
        if not boxes:
            return lambda image: image
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return lambda image: image.crop((min(lefts), min(tops), max(rights), max(bottoms)))

    def _box(self, frame: Image) -> tuple[int, int, int, int] | None:
        """Give the box around everything that is not border."""
        pixels = frame.convert("RGBA").convert("RGBa")
        if self.color is None:
            border = pixels.crop((0, 0, 1, 1)).resize(pixels.size)
        else:
            border = images.new("RGBA", pixels.size, parse_colour(self.color)).convert("RGBa")
        difference = _plain(ImageChops.difference(_plain(pixels), _plain(border)))
        greatest = difference.getchannel(0)
        for channel in (1, 2, 3):
            greatest = ImageChops.lighter(greatest, difference.getchannel(channel))
        return greatest.point([0] * (self.tolerance + 1) + [255] * (255 - self.tolerance)).getbbox()


def _plain(image: Image) -> Image:
    """Rename the channels, so that arithmetic takes all four alike."""
    return images.merge("CMYK", image.split()) if image.mode != "CMYK" else image
