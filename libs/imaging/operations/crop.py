"""Crop to a box."""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta
from PIL.Image import Image

from libs.imaging.errors import CropOutside
from libs.imaging.geometry import Focus, Position, Size, place, round_half_up
from libs.imaging.operations.operation import Coordinate, ImageFunction, LoadAsset, Operation, Pixels
from libs.imaging.smart_crop import find_most_detailed


class Crop(Operation, frozen=True, kw_only=True, tag="crop"):
    """Keep only a box.

    Its size is `width` and `height`, or the largest with the ratio `aspect`, such as `16:9`. Its left and
    top are `x` and `y`, or are given by `gravity`: a side or corner, a point, `focus` for the focal point of
    the stored image (without one, the centre), or `smart` for the position with the most detail. The box must
    lie within the image.
    """

    x: Coordinate = 0
    """The left of the box, in pixels."""
    y: Coordinate = 0
    """The top of the box, in pixels."""
    width: Pixels | None = None
    """The width of the box, in pixels."""
    height: Pixels | None = None
    """The height of the box, in pixels."""
    aspect: Annotated[str, Meta(pattern=r"^[1-9]\d{0,4}:[1-9]\d{0,4}$(?!\n)")] | None = None
    """The ratio of the box, instead of its size."""
    gravity: Position | Literal["smart", "focus"] | Focus | None = None
    """Where the box is, instead of left and top: a side or corner, a point, `focus`, or `smart`."""

    def __post_init__(self) -> None:
        if self.aspect is None and (self.width is None or self.height is None):
            raise ValueError("crop needs a width and a height, or an aspect")
        if self.aspect is not None and (self.width is not None or self.height is not None):
            raise ValueError("crop takes a width and a height or an aspect, not both")
        if (self.x or self.y) and (self.aspect is not None or self.gravity is not None):
            raise ValueError("crop takes x and y with a width and a height only, and not with a gravity")

    @property
    def content_aware(self) -> bool:
        """Whether the kept part depends on the pixels."""
        return self.gravity == "smart"

    def result_size(self, size: Size) -> Size:
        left, top, right, bottom = self.box(size)
        return right - left, bottom - top

    def apply(self, image: Image) -> Image:
        return image.crop(self.find_smart_box([image]) if self.content_aware else self.box(image.size))

    def prepare(self, frames: Sequence[Image], load_asset: LoadAsset) -> ImageFunction:
        if not self.content_aware:
            return self.apply
        box = self.find_smart_box(frames)
        return lambda image: image.crop(box)

    def box(self, size: Size) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom; a smart crop, and a `focus`, are at the centre here.

        Raises:
            CropOutside: The box does not lie within an image of `size`.
        """
        width, height = self._box_size(size)
        left, top = self.x, self.y
        if self.x + width > size[0] or self.y + height > size[1]:
            raise CropOutside((self.x, self.y, width, height), size)
        if self.gravity is not None or self.aspect is not None:
            gravity = "center" if self.gravity in (None, "smart", "focus") else self.gravity
            left, top = place((width, height), size, gravity, odd_pixel=1)
        return left, top, left + width, top + height

    def find_smart_box(self, frames: Sequence[Image]) -> tuple[int, int, int, int]:
        """Return the box of a smart crop: the one with the most detail over all frames."""
        width, height = self.result_size(frames[0].size)
        left, top = find_most_detailed(frames, (width, height))
        return left, top, left + width, top + height

    def _box_size(self, size: Size) -> Size:
        if self.aspect is None:
            return self.width or size[0], self.height or size[1]
        across, down = (int(part) for part in self.aspect.split(":"))
        if size[0] * down > size[1] * across:
            return min(size[0], round_half_up(size[1] * across / down)), size[1]
        return size[0], min(size[1], round_half_up(size[0] * down / across))
