"""Changing the file format."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta
from msgspec.structs import replace

from libs.imaging.colours import Colour, parse_colour
from libs.imaging.operations.operation import Effort, Operation, Output, Quality, Subsampling

Accepted = Literal["avif", "webp", "jpeg", "png"]


class Convert(Operation, frozen=True, kw_only=True, tag="convert"):
    """Write the result in another format.

    `auto` takes the first of AVIF and WebP that `accept` names, else PNG if anything is clear and JPEG if
    not. `quality` is that of JPEG, WebP and AVIF. `lossless` is for WebP and AVIF; PNG, GIF, TIFF and BMP
    always are. `progressive` is for JPEG. `effort` trades time for bytes, from 0, the fastest, to 9, in
    WebP, AVIF, PNG and JPEG. `subsampling` is how JPEG and AVIF thin out colour. `colors` gives PNG or GIF a
    palette. `background` goes under transparency where the format has none.
    """

    format: Literal["auto", "jpeg", "jpg", "png", "webp", "avif", "gif", "tiff", "bmp"]
    accept: tuple[Accepted, ...] = ("avif", "webp", "jpeg", "png")
    quality: Quality | None = None
    lossless: bool = False
    progressive: bool = False
    effort: Effort | None = None
    subsampling: Subsampling | None = None
    colors: Annotated[int, Meta(ge=2, le=256)] | None = None
    background: Colour = "white"

    changes_pixels: ClassVar[bool] = False

    def settle(self, output: Output) -> Output:
        chosen = "jpeg" if self.format == "jpg" else self.format
        opaque = None
        if chosen == "auto":
            chosen = next((name for name in ("avif", "webp") if name in self.accept), "png")
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
