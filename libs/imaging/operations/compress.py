"""Make the file smaller."""

from typing import Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from libs.imaging.operations.operation import Operation, Output, Quality

_DEFAULT_QUALITY = 75
_BEST_QUALITY = 95
"""The quality at which a search for `max_bytes` starts."""


class Compress(Operation, frozen=True, kw_only=True, tag="compress"):
    """Write with a `quality` from 1 (smallest) to 100 (best), in the same format if possible.

    JPEG, WebP, AVIF and JPEG XL use the quality directly. PNG and GIF get a palette of 2.56 colours for each
    step of quality; a PNG at 100 stays lossless. TIFF and BMP become JPEG, and so does a HEIC without
    transparency. The default quality is 75.

    `max_bytes` searches for the best quality, up to `quality` or 95, whose file has at most that many bytes.
    If the pipeline only compresses and the result is not smaller, the source's pixels are kept as they are,
    unless `never_larger` is false.
    """

    quality: Quality | None = None
    """From 1 (smallest) to 100 (best)."""
    max_bytes: Annotated[int, Meta(ge=1)] | None = None
    """The greatest size of the file; the best quality that fits is searched for."""
    never_larger: bool = True
    """Keep the bytes of the source if the result is not smaller."""

    changes_pixels: ClassVar[bool] = False

    def update_output(self, output: Output) -> Output:
        quality = self.quality or (_BEST_QUALITY if self.max_bytes else _DEFAULT_QUALITY)
        changed = replace(
            output, quality=quality, max_bytes=self.max_bytes, never_larger=self.never_larger, lossless=False
        )
        if output.format in {"png", "gif"}:
            return replace(changed, colours=palette_size(quality))
        return replace(changed, format="jpeg" if output.format in {"tiff", "bmp"} else output.format)


def palette_size(quality: int) -> int | None:
    """Return the number of colours for a quality; None means no limit."""
    return None if quality == 100 else max(2, round(quality * 2.56))
