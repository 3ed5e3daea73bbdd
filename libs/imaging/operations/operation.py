"""What an operation is."""

from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar, Literal, TypeAlias

from msgspec import Meta, Struct
from PIL.Image import Image

from libs.imaging.colours import RGBA, WHITE
from libs.imaging.formats import FormatName
from libs.imaging.geometry import Size
from libs.imaging.limits import LONGEST_SIDE

Pixels: TypeAlias = Annotated[int, Meta(ge=1, le=LONGEST_SIDE)]
Coordinate: TypeAlias = Annotated[int, Meta(ge=0, le=LONGEST_SIDE)]
Quality: TypeAlias = Annotated[int, Meta(ge=1, le=100)]
Effort: TypeAlias = Annotated[int, Meta(ge=0, le=9)]
Subsampling: TypeAlias = Literal["4:4:4", "4:2:2", "4:2:0"]
Change: TypeAlias = Callable[[Image], Image]


class Output(Struct, frozen=True, kw_only=True):
    """How the result is to be written."""

    format: FormatName
    opaque_format: FormatName | None = None  # instead of `format`, if nothing in the result is clear
    quality: int | None = None  # of JPEG, WebP and AVIF; None is that format's own default
    colours: int | None = None  # of a palette, in PNG and GIF
    background: RGBA = WHITE  # under transparency, where the format has none
    lossless: bool = False  # in WebP and AVIF
    progressive: bool = False  # in JPEG
    effort: int | None = None  # 0 to 9; None is that format's own default
    subsampling: Subsampling | None = None  # of JPEG and AVIF; None is that format's own default
    max_bytes: int | None = None  # quality is lowered until the file fits
    never_larger: bool = False  # keep the source's bytes if nothing was gained
    metadata: Literal["strip", "keep", "keep_copyright"] = "strip"
    color: Literal["srgb", "keep"] = "srgb"
    frame: int | None = None  # this one only
    max_frames: int | None = None  # these first ones only


class Surroundings(Struct, frozen=True, kw_only=True):
    """What an operation may use besides the image itself."""

    load: Callable[[str], Image]  # gives another image by the name the operation knows it by


class Operation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="op"):
    """One change to an image; a subclass overrides what it changes.

    Images come in as L, LA, RGB or RGBA in sRGB, and leave as one of these.
    """

    foretold: ClassVar[bool] = True
    """Whether `result_size` is exact; otherwise it is the largest that can come out."""

    changes_pixels: ClassVar[bool] = True
    """Whether anything is to be done before writing."""

    def result_size(self, size: Size) -> Size:
        """Tell the size of the result for an image of `size`, before any work is done."""
        return size

    def apply(self, image: Image) -> Image:
        """Make the result; `image` may be changed in place, so it is of no more use afterwards."""
        return image

    def prepare(self, frames: Sequence[Image], surroundings: Surroundings) -> Change:
        """Settle from all frames what is then done to each, so that an animation does not flicker."""
        return self.apply

    def settle(self, output: Output) -> Output:
        """Say how the result is to be written, given what came before."""
        return output


def name_of(operation: Operation) -> str:
    """Give the word that clients write for an operation."""
    return str(type(operation).__struct_config__.tag)
