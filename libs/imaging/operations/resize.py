"""Resizing, with the meanings of sharp's `fit`."""

from typing import Literal, NamedTuple

from PIL.Image import Image, Resampling

from libs.imaging.colours import RGBA, TRANSPARENT, Colour, parse_colour
from libs.imaging.compositing import lay
from libs.imaging.geometry import Box, Gravity, Size, half_up, place
from libs.imaging.operations.operation import Operation, Pixels


class Scaling(NamedTuple):
    """A resize worked out for one source size: a region, scaled, then perhaps laid on a canvas."""

    source: Size
    box: Box  # the region of the source that is kept
    size: Size  # what the region becomes
    canvas: Size
    offset: Size  # left and top of the region on the canvas
    background: RGBA

    def sample(self, image: Image) -> Image:
        if self.size == image.size and self.box == (0, 0, *image.size):
            return image
        return image.resize(self.size, Resampling.LANCZOS, box=self.box)

    def finish(self, image: Image) -> Image:
        if self.canvas == self.size:
            return image
        return lay(image, self.canvas, self.offset, self.background)


class Resize(Operation, frozen=True, kw_only=True, tag="resize"):
    """Scale to a width, a height, or a box of both.

    `fit` says what happens when the box has another shape: `inside` and `outside` keep the shape and
    just fit into or around the box, `cover` cuts off what stands out, `contain` fills up with `background`
    (transparent, or white where the format has no transparency), `fill` stretches. `gravity` says which
    part `cover` keeps and where `contain` puts the image. Unless `enlarge`, no image is made larger.
    """

    width: Pixels | None = None
    height: Pixels | None = None
    fit: Literal["inside", "cover", "contain", "fill", "outside"] = "inside"
    gravity: Gravity = "center"
    enlarge: bool = False
    background: Colour | None = None

    def __post_init__(self) -> None:
        if self.width is None and self.height is None:
            raise ValueError("resize needs a width or a height")

    def result_size(self, size: Size) -> Size:
        return self.plan(size).canvas

    def apply(self, image: Image) -> Image:
        scaling = self.plan(image.size)
        return scaling.finish(scaling.sample(image))

    def plan(self, size: Size) -> Scaling:
        """Work out the pixels for a source of `size`."""
        scaled = self._scaled(size)
        wanted = (self.width or scaled[0], self.height or scaled[1])
        kept = canvas = scaled
        crop = offset = (0, 0)
        if self.fit == "cover":
            kept = canvas = (min(wanted[0], scaled[0]), min(wanted[1], scaled[1]))
            crop = place(kept, scaled, self.gravity, odd_pixel=1)
        elif self.fit == "contain":
            canvas = (max(wanted[0], scaled[0]), max(wanted[1], scaled[1]))
            offset = place(scaled, canvas, self.gravity)
        box = Box(*crop, crop[0] + kept[0], crop[1] + kept[1])
        background = parse_colour(self.background) if self.background else TRANSPARENT
        return Scaling(
            size, box.scaled(size[0] / scaled[0], size[1] / scaled[1]), kept, canvas, offset, background
        )

    def _scaled(self, size: Size) -> Size:
        """Give the size of the whole source after scaling, before anything is cut off or added."""
        across = self.width / size[0] if self.width else None
        down = self.height / size[1] if self.height else None
        if across is None or down is None:
            across = down = across or down or 1.0
        elif self.fit in {"inside", "contain"}:
            across = down = min(across, down)
        elif self.fit in {"outside", "cover"}:
            across = down = max(across, down)
        if not self.enlarge:
            across, down = min(across, 1.0), min(down, 1.0)
        return half_up(size[0] * across), half_up(size[1] * down)
