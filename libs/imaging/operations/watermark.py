"""Laying a picture or a text over the image."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct
from PIL.Image import Image, Resampling

from libs.imaging import watermark_overlay
from libs.imaging.colours import Colour, parse_colour
from libs.imaging.errors import AssetMissing
from libs.imaging.geometry import Position, Share, Size, half_up, place
from libs.imaging.limits import LONGEST_SIDE
from libs.imaging.operations.operation import Change, Coordinate, Operation, Surroundings

_Place = Annotated[int, Meta(ge=-LONGEST_SIDE, le=LONGEST_SIDE)]
PartName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\n)")]


class Point(Struct, frozen=True, forbid_unknown_fields=True):
    """Left and top of the watermark, in pixels; it may lie partly outside."""

    x: _Place
    y: _Place


class Watermark(Operation, frozen=True, kw_only=True, tag="watermark"):
    r"""Lay another image, or a text, over the image.

    The other image is one of the account's own, by `image_id`, or a `part` uploaded along, by its name.
    `text` may have several lines, in European, Hebrew, Arabic, Chinese, Japanese or Korean letters; `size`
    is their height in pixels, `color` their colour.
    `position` is one of nine places, `margin` pixels away from the edges, or `tile`, which repeats it
    with `margin` between, or the left and top such as `{"x": 10, "y": 20}`. `scale` makes it that share of
    the image's width; what is larger than the image is made smaller, unless its left and top are given.
    `rotate` turns it clockwise by degrees. Only the pixels under it are touched.
    """

    image_id: UUID | None = None
    part: PartName | None = None
    text: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    size: Annotated[int, Meta(ge=4, le=1000)] = 32
    color: Colour = "white"
    position: Position | Literal["tile"] | Point = "bottom-right"
    opacity: Share = 1.0
    scale: Annotated[float, Meta(gt=0, le=1)] | None = None
    margin: Coordinate = 0
    rotate: Annotated[float, Meta(ge=-36_000, le=36_000)] = 0.0

    def __post_init__(self) -> None:
        if sum(what is not None for what in (self.image_id, self.part, self.text)) != 1:
            raise ValueError("watermark takes exactly one of image_id, part and text")
        if self.text is not None and not self.text.strip():
            raise ValueError("watermark needs a text that can be seen")

    @property
    def asset(self) -> str | None:
        """The name that the other image must be given under."""
        if self.image_id is not None:
            return f"image:{self.image_id}"
        return None if self.part is None else f"part:{self.part}"

    def apply(self, image: Image) -> Image:
        return self._change(image.size, _none_given)(image)

    def prepare(self, frames: Sequence[Image], surroundings: Surroundings) -> Change:
        return self._change(frames[0].size, surroundings.load)

    def _change(self, base: Size, load: Callable[[str], Image]) -> Change:
        mark = watermark_overlay.faded(self._turned(self._mark(base, load), base), self.opacity)
        if self.position == "tile":
            return lambda image: watermark_overlay.tile(image, mark, self.margin)
        if isinstance(self.position, Point):
            corner = (self.position.x, self.position.y)
        else:
            room = self._room(base)
            inner = place(mark.size, room, self.position)
            corner = (inner[0] + (base[0] - room[0]) // 2, inner[1] + (base[1] - room[1]) // 2)
        return lambda image: watermark_overlay.stamp(image, mark, corner)

    def _room(self, base: Size) -> Size:
        """Give what the margins leave; margins that leave nothing are not kept."""
        margin = 0 if self.position == "tile" or isinstance(self.position, Point) else self.margin
        return (
            base[0] - 2 * margin if base[0] > 2 * margin else base[0],
            base[1] - 2 * margin if base[1] > 2 * margin else base[1],
        )

    def _mark(self, base: Size, load: Callable[[str], Image]) -> Image:
        room = self._room(base)
        width = half_up(self.scale * base[0]) if self.scale else None
        if self.asset is None:
            from libs.imaging import (
                watermark_text,  # brings FreeType along: memory that few jobs have a use for
            )

            return watermark_text.draw(self.text or "", self.size, parse_colour(self.color), room, width)
        mark = load(self.asset)
        share = width / mark.width if width else 1.0
        if not isinstance(self.position, Point) or width:
            share = min(share, room[0] / mark.width, room[1] / mark.height)
        size = half_up(mark.width * share), half_up(mark.height * share)
        return mark if size == mark.size else mark.resize(size, Resampling.LANCZOS)

    def _turned(self, mark: Image, base: Size) -> Image:
        if not self.rotate % 360:
            return mark
        turned = watermark_overlay.clear(mark).rotate(-self.rotate, Resampling.BICUBIC, expand=True)
        room = self._room(base)
        share = min(1.0, room[0] / turned.width, room[1] / turned.height)
        if share == 1.0 or isinstance(self.position, Point):
            return turned
        return turned.resize((half_up(turned.width * share), half_up(turned.height * share)))


def _none_given(name: str) -> Image:
    raise AssetMissing(name)
