"""Resize an image; `fit` means the same as in sharp."""

import math
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, TypeAlias

from msgspec import Meta
from msgspec.structs import replace
from PIL.Image import Image

from libs.imaging.colours import RGBA, TRANSPARENT, Colour, parse_colour
from libs.imaging.compositing import paste_on_canvas
from libs.imaging.geometry import Box, Focus, Position, Size, full_box, place, round_half_up
from libs.imaging.operations.crop import Crop
from libs.imaging.operations.operation import ImageFunction, LoadAsset, Operation, Pixels
from libs.imaging.resampling import scale

Kernel: TypeAlias = Literal["lanczos", "bicubic", "bilinear", "nearest"]

_EPSILON = 1e-6


class Scaling(NamedTuple):
    """A resize computed for one source size: scale a region, then paste it on a canvas if that is larger."""

    source: Size
    box: Box  # the region of the source to scale
    size: Size  # of the scaled region
    canvas: Size
    offset: Size  # left and top of the region on the canvas
    background: RGBA
    kernel: Kernel = "lanczos"
    edge: Box | None = None  # the kernel uses no pixel beyond it

    def sample(self, image: Image) -> Image:
        """Scale the region of an image whose size is `source`."""
        return resample(image, self.box, self.size, self.kernel, self.edge)

    def finish(self, image: Image) -> Image:
        """Paste the scaled region on the canvas."""
        if self.canvas == self.size:
            return image
        return paste_on_canvas(image, self.canvas, self.offset, self.background)


def resample(image: Image, box: Box, size: Size, kernel: Kernel, edge: Box | None = None) -> Image:
    """Scale a region to `size`; crop exactly if whole pixels keep their size."""
    if edge and edge != full_box(image.size):
        left, top = math.floor(edge.left + _EPSILON), math.floor(edge.top + _EPSILON)
        image = image.crop((left, top, math.ceil(edge.right - _EPSILON), math.ceil(edge.bottom - _EPSILON)))
        box = box.moved(-left, -top)
    if size == (box.width, box.height) and box.left % 1 == box.top % 1 == 0:
        pixels = (int(box.left), int(box.top), int(box.right), int(box.bottom))
        return image if box == full_box(image.size) else image.crop(pixels)
    return scale(image, size, kernel, _clipped(box, image.size))


def _clipped(box: Box, size: Size) -> Box:
    """Clip a box to the image, which rounding errors may exceed."""
    return Box(max(box.left, 0), max(box.top, 0), min(box.right, size[0]), min(box.bottom, size[1]))


class Resize(Operation, frozen=True, kw_only=True, tag="resize"):
    """Scale to a width, a height, a box of both, or by a factor.

    `fit` says what happens when the box has another aspect ratio: `inside` and `outside` keep the ratio and
    fit the image into or around the box, `cover` fills the box and cuts off the rest, `contain` fits the
    image into the box and fills the rest with `background` (transparent, or white if the format has no
    transparency), `fill` stretches. `gravity` says which part `cover` keeps and where `contain` puts the
    image: a side or corner, a point such as `{"x": 0.3, "y": 0.5}`, `focus` for the focal point of the stored
    image (without one, the centre), or `smart`, which keeps the part with the most detail. An image is never
    made larger unless `enlarge` is true. `kernel` is the resampling filter.
    """

    width: Pixels | None = None
    """The width of the box, in pixels."""
    height: Pixels | None = None
    """The height of the box, in pixels."""
    scale: Annotated[float, Meta(gt=0, le=100)] | None = None
    """The factor, instead of a width and a height."""
    fit: Literal["inside", "cover", "contain", "fill", "outside"] = "inside"
    """What happens when the box has another aspect ratio."""
    gravity: Position | Literal["smart", "focus"] | Focus = "center"
    """Which part `cover` keeps, and where `contain` puts the image."""
    enlarge: bool = False
    """Whether the image may become larger."""
    kernel: Kernel = "lanczos"
    """The resampling filter."""
    background: Colour | None = None
    """What `contain` fills the rest with; without it, transparent, or white if the format has no
    transparency."""

    def __post_init__(self) -> None:
        if self.scale is not None and (self.width is not None or self.height is not None):
            raise ValueError("resize takes a scale, or a width and a height, not both")
        if self.width is None and self.height is None and self.scale is None:
            raise ValueError("resize needs a width, a height or a scale")

    @property
    def content_aware(self) -> bool:
        """Whether the kept part depends on the pixels."""
        return self.gravity == "smart" and self.fit == "cover"

    def result_size(self, size: Size) -> Size:
        return self.plan(size).canvas

    def apply(self, image: Image) -> Image:
        if self.content_aware:
            return self._smart_cover([image])(image)
        scaling = self.plan(image.size)
        return scaling.finish(scaling.sample(image))

    def prepare(self, frames: Sequence[Image], load_asset: LoadAsset) -> ImageFunction:
        return self._smart_cover(frames) if self.content_aware else self.apply

    def _smart_cover(self, frames: Sequence[Image]) -> ImageFunction:
        resize, crop = self.split(frames[0].size)
        box = crop.find_smart_box([resize.apply(frame) for frame in frames])
        return lambda image: resize.apply(image).crop(box)

    def split(self, size: Size) -> "tuple[Resize, Crop]":
        """Split a smart cover into a resize of the full image and a smart crop."""
        width, height = self.plan(size).canvas
        resize = replace(self, fit="outside", gravity="center")
        return resize, Crop(width=width, height=height, gravity="smart")

    def plan(self, size: Size) -> Scaling:
        """Compute the scaling of a source of `size`; `smart` and `focus` count as the centre."""
        scaled = self._scaled_size(size)
        requested = (self.width or scaled[0], self.height or scaled[1])
        kept = canvas = scaled
        crop = offset = (0, 0)
        gravity = "center" if self.gravity in ("smart", "focus") else self.gravity
        if self.fit == "cover":
            kept = canvas = (min(requested[0], scaled[0]), min(requested[1], scaled[1]))
            crop = place(kept, scaled, gravity, odd_pixel=1)
        elif self.fit == "contain":
            canvas = (max(requested[0], scaled[0]), max(requested[1], scaled[1]))
            offset = place(scaled, canvas, gravity)
        box = Box(*crop, crop[0] + kept[0], crop[1] + kept[1])
        background = parse_colour(self.background) if self.background else TRANSPARENT
        to_source = (size[0] / scaled[0], size[1] / scaled[1])
        return Scaling(size, box.scaled(*to_source), kept, canvas, offset, background, self.kernel)

    def _scaled_size(self, size: Size) -> Size:
        """Return the size of the full source after scaling, before it is cropped or padded."""
        across = self.width / size[0] if self.width else None
        down = self.height / size[1] if self.height else None
        if across is None or down is None:
            across = down = across or down or self.scale or 1.0
        elif self.fit in {"inside", "contain"}:
            across = down = min(across, down)
        elif self.fit in {"outside", "cover"}:
            across = down = max(across, down)
        if not self.enlarge:
            across, down = min(across, 1.0), min(down, 1.0)
        return round_half_up(size[0] * across), round_half_up(size[1] * down)
