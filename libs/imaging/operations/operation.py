"""The base class of all operations, and the types they share."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Protocol, TypeAlias

from msgspec import Meta, Struct
from PIL.Image import Image

from libs.imaging.colours import RGBA, WHITE
from libs.imaging.errors import AssetMissing, FontUnavailable
from libs.imaging.formats import WrittenName
from libs.imaging.geometry import Size
from libs.imaging.limits import LONGEST_SIDE

Pixels: TypeAlias = Annotated[int, Meta(ge=1, le=LONGEST_SIDE)]
Coordinate: TypeAlias = Annotated[int, Meta(ge=0, le=LONGEST_SIDE)]
Quality: TypeAlias = Annotated[int, Meta(ge=1, le=100)]
Effort: TypeAlias = Annotated[int, Meta(ge=0, le=9)]
Subsampling: TypeAlias = Literal["4:4:4", "4:2:2", "4:2:0"]
MetadataMode: TypeAlias = Literal["strip", "keep", "keep_copyright", "strip_location"]
Dpi: TypeAlias = Annotated[int, Meta(ge=1, le=65_535)]
ImageFunction: TypeAlias = Callable[[Image], Image]


class LoadAsset(Protocol):
    """Provides other files that operations need, by the names that the operations give them."""

    def __call__(self, name: str, /) -> Image:
        """Decode another image; raise AssetMissing or AssetUnreadable."""
        ...

    def font(self, name: str, /) -> Path:
        """Return a font file; raise FontUnavailable."""
        ...


class Output(Struct, frozen=True, kw_only=True):
    """How to write the result."""

    format: WrittenName
    opaque_format: WrittenName | None = None  # used instead of `format` if the result is opaque
    quality: int | None = None  # of JPEG, WebP, AVIF and JPEG XL; None: the format's default
    colours: int | None = None  # of the palette of a PNG or GIF
    background: RGBA = WHITE  # behind transparent pixels if the format has no transparency
    lossless: bool = False  # in WebP, AVIF and JPEG XL
    progressive: bool = False  # in JPEG
    effort: int | None = None  # 0 to 9; None: the format's default
    subsampling: Subsampling | None = None  # of JPEG and AVIF; None: the format's default
    max_bytes: int | None = None  # quality is lowered until the file fits
    never_larger: bool = False  # keep the source's bytes if the result is not smaller
    metadata: MetadataMode = "strip"
    dpi: Literal["keep"] | int | None = None  # dots per inch to write; None: what kept EXIF says
    color: Literal["srgb", "keep"] = "srgb"
    frame: int | None = None  # use only this frame
    max_frames: int | None = None  # use only so many frames


class Operation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="op"):
    """One change to an image; a subclass overrides the methods it needs.

    Images are in mode L, LA, RGB or RGBA and in sRGB, before and after.
    """

    exact_size: ClassVar[bool] = True
    """Whether `result_size` is exact; otherwise it is the largest possible size."""

    changes_pixels: ClassVar[bool] = True
    """Whether the operation does anything before writing."""

    def result_size(self, size: Size) -> Size:
        """Return the size of the result for an image of `size`, without looking at pixels."""
        return size

    def apply(self, image: Image) -> Image:
        """Return the result. May change `image` in place, so the caller must not use it afterwards."""
        return image

    def prepare(self, frames: Sequence[Image], load_asset: LoadAsset) -> ImageFunction:
        """Return the function to apply to each frame.

        Whatever depends on pixels is decided here, from all frames, so that an animation does not flicker.
        """
        return self.apply

    def update_output(self, output: Output) -> Output:
        """Return how to write the result, given the output of the operations before it."""
        return output


def name_of(operation: Operation) -> str:
    """Return the operation's name on the wire."""
    return str(type(operation).__struct_config__.tag)


class _NoAssets:
    def __call__(self, name: str, /) -> Image:
        raise AssetMissing(name)

    def font(self, name: str, /) -> Path:
        raise FontUnavailable(name)


no_assets: LoadAsset = _NoAssets()
"""For work without other files."""
