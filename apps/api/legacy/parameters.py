"""The parameters of older clients' transformations and pipeline steps."""

from typing import Annotated, Any, TypeAlias

from msgspec import Meta, Struct

from libs.imaging.geometry import Position
from libs.imaging.limits import LONGEST_SIDE
from libs.imaging.operations import Point
from libs.imaging.operations.operation import Pixels, Quality

Degrees: TypeAlias = Annotated[float, Meta(ge=-36_000, le=36_000)]
Offset: TypeAlias = Annotated[int, Meta(ge=-LONGEST_SIDE, le=LONGEST_SIDE)]
FileTypeName: TypeAlias = Annotated[str, Meta(max_length=16)]


class Parameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters. An unknown one is refused by name."""


class Size(Parameters, frozen=True, kw_only=True):
    """An exact size in pixels; the aspect ratio may change."""

    width: Pixels
    height: Pixels


class Box(Size, frozen=True, kw_only=True):
    """The area to crop to. It may extend beyond the image."""

    x: Offset = 0
    y: Offset = 0

    def beyond(self, size: Size) -> dict[str, int]:
        """Return by how many pixels the box extends beyond an image of this size, by side."""
        right, bottom = self.x + self.width, self.y + self.height
        sides = {"top": -self.y, "right": right - size.width, "bottom": bottom - size.height, "left": -self.x}
        return {side: pixels for side, pixels in sides.items() if pixels > 0}


class Rotation(Parameters, frozen=True, kw_only=True):
    """A counter-clockwise rotation."""

    degrees: Degrees


class Compression(Parameters, frozen=True, kw_only=True):
    """The quality of a lossy result, from 1 to 100."""

    quality: Quality


class FileType(Parameters, frozen=True, kw_only=True):
    """The file type of the result."""

    format: FileTypeName


class Filters(Parameters, frozen=True, kw_only=True):
    """Filters; those that are true are applied."""

    grayscale: bool = False
    sepia: bool = False


class Overlay(Parameters, frozen=True, kw_only=True):
    """A watermark: the id of a stored image, a URL, or the name of a file in the same form."""

    image: Annotated[str, Meta(min_length=1)] = "image"
    position: Position | tuple[int, int] | Point = "bottom-right"


class Transformations(Parameters, frozen=True, kw_only=True):
    """The transformations of one request. Null and false request nothing."""

    resize: Size | None = None
    crop: Box | None = None
    rotate: Degrees | Rotation | None = None
    watermark: Overlay | None = None
    flip: bool | dict[str, Any] | None = None
    mirror: bool | dict[str, Any] | None = None
    compress: Quality | Compression | None = None
    format: FileTypeName | FileType | None = None
    filters: Filters | None = None


TYPES = frozenset(Transformations.__struct_fields__)
