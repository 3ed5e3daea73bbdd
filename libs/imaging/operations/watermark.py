"""Overlay an image or a text."""

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct
from PIL.Image import Image, Resampling

from libs.imaging.colours import Colour, parse_colour
from libs.imaging.compositing import with_alpha
from libs.imaging.errors import FontUnavailable
from libs.imaging.geometry import Fraction, Position, Size, place, round_half_up
from libs.imaging.limits import LONGEST_SIDE
from libs.imaging.operations.operation import Coordinate, ImageFunction, LoadAsset, Operation, no_assets
from libs.imaging.resampling import scale
from libs.imaging.watermark_overlay import overlay, tile, with_opacity

_Offset = Annotated[int, Meta(ge=-LONGEST_SIDE, le=LONGEST_SIDE)]
PartName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\n)")]


class Point(Struct, frozen=True, forbid_unknown_fields=True):
    """Left and top of the watermark, in pixels; it may lie partly outside."""

    x: _Offset
    """The left, in pixels."""
    y: _Offset
    """The top, in pixels."""


class Watermark(Operation, frozen=True, kw_only=True, tag="watermark"):
    r"""Overlay another image, or a text.

    The other image is a stored image of the account, `image_id`, or a file uploaded with the request under
    the name `part`. `text` may have several lines, with emoji and in the letters of Europe, Armenia, Georgia
    and Ethiopia, in Hebrew, Arabic, Chinese, Japanese, Korean, Thai, Lao, Burmese, Khmer, Tibetan, Devanagari
    and the other scripts of India and Sri Lanka; `size` is the height of the letters in pixels, `color`
    their colour. `font` names one of the operator's fonts (`DARKROOM_FONTS_DIR`), which is used for the
    characters that it has.
    `position` is one of nine positions, `margin` pixels away from the edges, or left and top such as
    `{"x": 10, "y": 20}`, or `tile`, which repeats the watermark with `margin` pixels between. `scale` is the
    watermark's width as a fraction of the image's width. A watermark larger than the image is reduced,
    unless its left and top are given. `rotate` turns it clockwise by degrees. Only the pixels under the
    watermark change.
    """

    image_id: UUID | None = None
    """The id of a stored image."""
    part: PartName | None = None
    """The name of a file that is uploaded with the request."""
    text: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """A text instead of an image; it may have several lines."""
    size: Annotated[int, Meta(ge=4, le=1000)] = 32
    """The height of the letters, in pixels."""
    color: Colour = "white"
    """The colour of the letters."""
    font: PartName | None = None
    """One of the operator's fonts (`DARKROOM_FONTS_DIR`)."""
    position: Position | Literal["tile"] | Point = "bottom-right"
    """A side or corner, left and top, or `tile`."""
    opacity: Fraction = 1.0
    """0 is invisible, 1 opaque."""
    scale: Annotated[float, Meta(gt=0, le=1)] | None = None
    """The watermark's width as a fraction of the image's width."""
    margin: Coordinate = 0
    """The distance from the edges, or between tiles, in pixels."""
    rotate: Annotated[float, Meta(ge=-36_000, le=36_000)] = 0.0
    """Degrees, clockwise."""

    def __post_init__(self) -> None:
        if sum(source is not None for source in (self.image_id, self.part, self.text)) != 1:
            raise ValueError("watermark takes exactly one of image_id, part and text")
        if self.font is not None and self.text is None:
            raise ValueError("the font of a watermark is for its text")
        if self.text is not None and not self.text.strip():
            raise ValueError("the text of a watermark must have a visible character")

    @property
    def asset(self) -> str | None:
        """The name under which the caller provides the other image; None for a text."""
        if self.image_id is not None:
            return f"image:{self.image_id}"
        return None if self.part is None else f"part:{self.part}"

    def apply(self, image: Image) -> Image:
        return self.prepare([image], no_assets)(image)

    def prepare(self, frames: Sequence[Image], load_asset: LoadAsset) -> ImageFunction:
        base = frames[0].size
        mark = with_opacity(self._rotated(self._scaled_mark(base, load_asset), base), self.opacity)
        if self.position == "tile":
            return lambda image: tile(image, mark, self.margin)
        if isinstance(self.position, Point):
            corner = (self.position.x, self.position.y)
        else:
            room = self._room(base)
            inner = place(mark.size, room, self.position)
            corner = (inner[0] + (base[0] - room[0]) // 2, inner[1] + (base[1] - room[1]) // 2)
        return lambda image: overlay(image, mark, corner)

    def _room(self, base: Size) -> Size:
        """Return the size within the margins; margins that leave no room are ignored."""
        margin = 0 if self.position == "tile" or isinstance(self.position, Point) else self.margin
        return (
            base[0] - 2 * margin if base[0] > 2 * margin else base[0],
            base[1] - 2 * margin if base[1] > 2 * margin else base[1],
        )

    def _scaled_mark(self, base: Size, load_asset: LoadAsset) -> Image:
        room = self._room(base)
        width = round_half_up(self.scale * base[0]) if self.scale else None
        if self.asset is None:
            return self._drawn_text(room, width, load_asset)
        mark = load_asset(self.asset)
        factor = width / mark.width if width else 1.0
        if not isinstance(self.position, Point) or width:
            factor = min(factor, room[0] / mark.width, room[1] / mark.height)
        size = round_half_up(mark.width * factor), round_half_up(mark.height * factor)
        return mark if size == mark.size else scale(mark, size)

    def _drawn_text(self, room: Size, width: int | None, load_asset: LoadAsset) -> Image:
        from libs.imaging.text import watermark_text  # loads FreeType, whose memory most jobs do not need

        font = load_asset.font(self.font) if self.font else None
        text, colour = self.text or "", parse_colour(self.color)
        try:
            return watermark_text.draw_text(text, self.size, colour, room, width, font)
        except OSError as error:
            raise FontUnavailable(self.font or "") from error

    def _rotated(self, mark: Image, base: Size) -> Image:
        if not self.rotate % 360:
            return mark
        rotated = with_alpha(mark).rotate(-self.rotate, Resampling.BICUBIC, expand=True)
        room = self._room(base)
        factor = min(1.0, room[0] / rotated.width, room[1] / rotated.height)
        if factor == 1.0 or isinstance(self.position, Point):
            return rotated
        return scale(
            rotated,
            (round_half_up(rotated.width * factor), round_half_up(rotated.height * factor)),
            "bicubic",
        )
