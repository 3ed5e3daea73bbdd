"""Trim a border of one colour."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from msgspec import Meta
from PIL import Image as images
from PIL import ImageChops
from PIL.Image import Image

from libs.imaging.colours import Colour, parse_colour
from libs.imaging.operations.operation import ImageFunction, LoadAsset, Operation, no_assets


class Trim(Operation, frozen=True, kw_only=True, tag="trim"):
    """Cut off the border of one colour on all four sides.

    Its colour is `color`, or that of the top left pixel. A pixel belongs to the border if no channel differs
    by more than `tolerance`, 0 to 255; all transparent pixels count as equal. An image that consists only of
    border is not changed. For an animation, the part that is border in every frame is cut off.
    """

    color: Colour | None = None
    """The colour of the border; without it, that of the top left pixel."""
    tolerance: Annotated[int, Meta(ge=0, le=255)] = 10
    """How much a channel of the border may differ, 0 to 255."""

    exact_size: ClassVar[bool] = False

    def apply(self, image: Image) -> Image:
        return self.prepare([image], no_assets)(image)

    def prepare(self, frames: Sequence[Image], load_asset: LoadAsset) -> ImageFunction:
        boxes = [box for frame in frames if (box := self._content_box(frame))]
        if not boxes:
            return lambda image: image
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        return lambda image: image.crop((min(lefts), min(tops), max(rights), max(bottoms)))

    def _content_box(self, frame: Image) -> tuple[int, int, int, int] | None:
        """Return the box around all pixels that are not border; None if there are none."""
        pixels = frame.convert("RGBA").convert("RGBa")
        if self.color is None:
            border = pixels.crop((0, 0, 1, 1)).resize(pixels.size)
        else:
            border = images.new("RGBA", pixels.size, parse_colour(self.color)).convert("RGBa")
        difference = ImageChops.difference(pixels, border)
        greatest = difference.getchannel(0)
        for channel in (1, 2, 3):
            greatest = ImageChops.lighter(greatest, difference.getchannel(channel))
        return greatest.point([0] * (self.tolerance + 1) + [255] * (255 - self.tolerance)).getbbox()
