"""Options of Pillow's encoders."""

from typing import Any

from PIL import Image

from libs.imaging.compositing import has_alpha
from libs.imaging.formats import FormatName
from libs.imaging.frames.frame_timing import writable_ms
from libs.imaging.operations.operation import Output

JPEG_QUALITY = 85
WEBP_QUALITY = 80
WEBP_METHOD = 2
"""14 ms for 800x600. At equal PSNR 1 takes 11 ms and 5 % more bytes, 4 takes 33 ms and 6 % fewer."""

AVIF_QUALITY = 60
AVIF_SPEED = 8
"""103 ms for 800x600. At equal PSNR 9 takes 22 ms and 20 % more bytes, 7 takes 165 ms and 3 % fewer."""

JXL_QUALITY = 80
JXL_EFFORT = 4  # 27 ms for 800x600; 5 takes 171 ms and saves 8 % of the bytes
PNG_LEVEL = 3  # 39 ms for 800x600; 6 takes 82 ms and saves 5 % of the bytes

_MAX_EFFORT = 9
_OPTIMIZING_EFFORT = 5  # from here on JPEG gets optimised Huffman tables


def still_options(output: Output) -> dict[str, Any]:
    """Return the encoder options of a still image."""
    match output.format:
        case "jpeg":
            return _jpeg(output)
        case "webp":
            return {
                "quality": output.quality or WEBP_QUALITY,
                "method": WEBP_METHOD if output.effort is None else round(output.effort * 6 / _MAX_EFFORT),
                "lossless": output.lossless,
            }
        case "avif":
            return _avif(output)
        case "png":
            return {"compress_level": PNG_LEVEL if output.effort is None else max(1, output.effort)}
        case "tiff":
            return {"compression": "tiff_adobe_deflate"}
        case "jxl":
            return _jxl(output)
        case "gif" | "bmp":
            return {}


def _jpeg(output: Output) -> dict[str, Any]:
    options: dict[str, Any] = {"quality": output.quality or JPEG_QUALITY}
    if output.progressive:
        options["progressive"] = True
    if output.effort is not None and output.effort >= _OPTIMIZING_EFFORT:
        options["optimize"] = True
    if output.subsampling:
        options["subsampling"] = output.subsampling
    return options


def _avif(output: Output) -> dict[str, Any]:
    options: dict[str, Any] = {
        "quality": output.quality or AVIF_QUALITY,
        "speed": AVIF_SPEED if output.effort is None else 10 - output.effort,
        "max_threads": 1,  # there is a render process for each processor
    }
    if output.subsampling:
        options["subsampling"] = output.subsampling
    if output.lossless:
        options |= {"quality": 100, "subsampling": "4:4:4"}
    return options


def _jxl(output: Output) -> dict[str, Any]:
    return {
        "quality": output.quality or JXL_QUALITY,
        "effort": JXL_EFFORT if output.effort is None else 1 + round(output.effort * 6 / _MAX_EFFORT),
        "lossless": output.lossless,
        "lossless_jpeg": False,  # otherwise a JPEG's own bytes are packed, with all their metadata
        "num_threads": 0,
        "exif": b"",  # unless there is some; otherwise it is looked for in the image
    }


def animation_options(
    name: FormatName, images: list[Image.Image], durations_ms: list[float], plays: int
) -> dict[str, Any]:
    """Return the encoder options of an animation, besides those of a still image; `plays` 0 means forever."""
    options: dict[str, Any] = {
        "save_all": True,
        "append_images": images[1:],
        "duration": writable_ms(name, durations_ms),
        "loop": plays,
    }
    if name == "webp":
        options |= {"kmin": 0, "kmax": 0}  # no key frames after the first take a quarter less time
    if name != "gif":
        return options
    if plays == 1:
        del options["loop"]  # a GIF without a loop plays once; its loop counts repetitions
    elif plays:
        options["loop"] = plays - 1
    if any(has_alpha(image) or "transparency" in image.info for image in images):
        options["disposal"] = 2  # restore to background, or the previous frame shows through
    return options
