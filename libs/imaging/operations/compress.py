"""Making the file smaller."""

from msgspec.structs import replace

from libs.imaging.operations.operation import Operation, Output, Quality


class Compress(Operation, frozen=True, kw_only=True, tag="compress"):
    """Write with a `quality` from 1 (smallest) to 100 (best), in the same format where that can be smaller.

    JPEG, WebP and AVIF take the quality as it is. PNG and GIF get a palette of 2.56 colours for each
    step of it; PNG at 100 stays lossless. TIFF and BMP become JPEG.
    """

    quality: Quality = 75

    def settle(self, output: Output) -> Output:
        if output.format in {"png", "gif"}:
            colours = None if self.quality == 100 else max(2, round(self.quality * 2.56))
            return replace(output, quality=self.quality, colours=colours)
        format_name = "jpeg" if output.format in {"tiff", "bmp"} else output.format
        return replace(output, format=format_name, quality=self.quality)
