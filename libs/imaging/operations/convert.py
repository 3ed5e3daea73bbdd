"""Change the file format."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta
from msgspec.structs import replace

from libs.imaging.colours import Colour, parse_colour
from libs.imaging.operations.operation import Effort, Operation, Output, Quality, Subsampling

Accepted = Literal["avif", "webp", "jxl", "jpeg", "png"]


class Convert(Operation, frozen=True, kw_only=True, tag="convert"):
    """Write the result in another format.

    `auto` chooses the first of AVIF, WebP and JPEG XL that `accept` has; otherwise PNG if the result has
    transparency and JPEG if not. `quality` applies to JPEG, WebP, AVIF and JPEG XL. `lossless` applies to
    WebP, AVIF and JPEG XL; PNG, GIF, TIFF and BMP are always lossless. `progressive` applies to JPEG.
    `effort` trades time for bytes, from 0 (fastest) to 9 (smallest), in WebP, AVIF, JPEG XL, PNG and JPEG.
    `subsampling` is the chroma subsampling of JPEG and AVIF. `colors` limits a PNG or GIF to a palette.
    `background` replaces transparency if the format has none. A HEIC is only read: without `convert` it
    becomes a JPEG, or a PNG if the result has transparency. A JPEG XL is a still picture in sRGB.
    """

    format: Literal["auto", "jpeg", "jpg", "png", "webp", "avif", "jxl", "gif", "tiff", "bmp"]
    """The format of the result; `auto` chooses one."""
    accept: tuple[Accepted, ...] = ("avif", "webp", "jpeg", "png")
    """The formats that `auto` may choose."""
    quality: Quality | None = None
    """From 1 (smallest) to 100 (best), of JPEG, WebP, AVIF and JPEG XL."""
    lossless: bool = False
    """Write without loss, in WebP, AVIF and JPEG XL."""
    progressive: bool = False
    """Write a progressive JPEG."""
    effort: Effort | None = None
    """From 0 (fastest) to 9 (smallest)."""
    subsampling: Subsampling | None = None
    """The chroma subsampling of JPEG and AVIF."""
    colors: Annotated[int, Meta(ge=2, le=256)] | None = None
    """The greatest number of colours, of PNG and GIF."""
    background: Colour = "white"
    """The colour behind transparent pixels, if the format has no transparency."""

    changes_pixels: ClassVar[bool] = False

    def update_output(self, output: Output) -> Output:
        chosen = "jpeg" if self.format == "jpg" else self.format
        opaque = None
        if chosen == "auto":
            chosen = next((name for name in ("avif", "webp", "jxl") if name in self.accept), "png")
            opaque = "jpeg" if chosen == "png" else None
        return replace(
            output,
            format=chosen,
            opaque_format=opaque,
            quality=self.quality or output.quality,
            lossless=self.lossless,
            progressive=self.progressive,
            effort=self.effort,
            subsampling=self.subsampling,
            colours=self.colors,
            background=parse_colour(self.background),
        )
