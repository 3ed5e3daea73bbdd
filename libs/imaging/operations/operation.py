"""What an operation is."""

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct
from PIL.Image import Image

from libs.imaging.colours import RGBA, WHITE
from libs.imaging.formats import FormatName
from libs.imaging.geometry import Size
from libs.imaging.limits import LONGEST_SIDE

Pixels: TypeAlias = Annotated[int, Meta(ge=1, le=LONGEST_SIDE)]
Coordinate: TypeAlias = Annotated[int, Meta(ge=0, le=LONGEST_SIDE)]
Quality: TypeAlias = Annotated[int, Meta(ge=1, le=100)]


class Output(Struct, frozen=True, kw_only=True):
    """How the result is to be written."""

    format: FormatName
    quality: int | None = None  # of JPEG, WebP and AVIF; None is that format's own default
    colours: int | None = None  # of a palette, in PNG and GIF
    background: RGBA = WHITE  # under transparency, where the format has none


class Operation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="op"):
    """One change to an image; a subclass overrides what it changes.

    Images come in as L, LA, RGB or RGBA in sRGB, and leave as one of these.
    """

    def result_size(self, size: Size) -> Size:
        """Tell the size of the result for an image of `size`, before any work is done."""
        return size

    def apply(self, image: Image) -> Image:
        """Make the result; `image` itself is left as it is."""
        return image

    def settle(self, output: Output) -> Output:
        """Say how the result is to be written, given what came before."""
        return output
