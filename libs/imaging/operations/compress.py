"""Making the file smaller."""

from typing import Annotated, ClassVar

from msgspec import Meta
from msgspec.structs import replace

from libs.imaging.operations.operation import Operation, Output, Quality

_QUALITY = 75
_BEST = 95
"""The quality that a search for `max_bytes` starts from."""


class Compress(Operation, frozen=True, kw_only=True, tag="compress"):
    """Write with a `quality` from 1 (smallest) to 100 (best), in the same format where that can be smaller.

    JPEG, WebP and AVIF take the quality as it is. PNG and GIF get a palette of 2.56 colours for each
    step of it; PNG at 100 stays lossless. TIFF and BMP become JPEG. Without a quality it is 75.

    With `max_bytes` the best quality is searched whose file is no larger, up to `quality`, or 95. Unless
    `never_larger` is false, an image of which nothing else is asked, and which would grow, stays as it is.
    """

    quality: Quality | None = None
    max_bytes: Annotated[int, Meta(ge=1)] | None = None
    never_larger: bool = True

    changes_pixels: ClassVar[bool] = False

    def settle(self, output: Output) -> Output:
        quality = self.quality or (_BEST if self.max_bytes else _QUALITY)
        changed = replace(
            output, quality=quality, max_bytes=self.max_bytes, never_larger=self.never_larger, lossless=False
        )
        if output.format in {"png", "gif"}:
            return replace(changed, colours=palette_size(quality))
        return replace(changed, format="jpeg" if output.format in {"tiff", "bmp"} else output.format)


def palette_size(quality: int) -> int | None:
    """Give the number of colours that stands for a quality; None is as many as there are."""
    return None if quality == 100 else max(2, round(quality * 2.56))
