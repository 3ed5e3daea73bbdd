"""From frames to a file."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from libs.imaging.compositing import flatten, has_alpha, without_needless_alpha
from libs.imaging.errors import EncodingFailed, OutOfMemory
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.operations.operation import Output
from libs.imaging.quiet import quiet
from libs.imaging.reading import Frame

JPEG_QUALITY = 85
WEBP_QUALITY = 80
WEBP_METHOD = 2  # 21 ms for 800x600; 4 takes 47 ms and saves 2.4 % of the bytes
AVIF_QUALITY = 60
AVIF_SPEED = 8  # 95 ms for 800x600; 6 takes 284 ms
PNG_LEVEL = 3  # 54 ms for 800x600; 6 takes 146 ms and saves 5 % of the bytes

_GREY_FORMATS = {"jpeg", "png", "tiff", "bmp", "gif"}
_GREY_ALPHA_FORMATS = {"png", "tiff"}


def write(frames: Sequence[Frame], plays: int, target: Path, output: Output) -> None:
    """Write an image, or an animation that runs `plays` times (0: for ever), without any metadata.

    The target is a real file, never a buffer: only then do encoders release the interpreter lock.

    Raises:
        EncodingFailed: The format cannot hold the result.
        OutOfMemory: The encoder ran out of memory.
    """
    known = FORMATS[output.format]
    images = [_fit(frame.image, output) for frame in frames]
    if len(images) > 1:
        images = _alike(images)
    images = [_with_palette(image, output) for image in images]
    options = _options(output)
    if len(images) > 1:
        options |= _animation_options(output.format, images, [frame.duration_ms for frame in frames], plays)
    with _encoding(known.pillow):
        images[0].save(target, format=known.pillow, **options)


@contextmanager
def _encoding(pillow_name: str) -> Generator[None]:
    try:
        with quiet():
            yield
    except MemoryError as error:
        raise OutOfMemory from error
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the disk
            raise
        if "memory" in str(error).lower():
            raise OutOfMemory from error
        raise EncodingFailed(pillow_name, str(error)) from error


def _fit(image: Image.Image, output: Output) -> Image.Image:
    """Bring an image into a mode that the format can hold."""
    if FORMATS[output.format].alpha:
        image = without_needless_alpha(image)
    else:
        image = flatten(image, output.background)
    if image.mode == "L" and output.format not in _GREY_FORMATS:
        return image.convert("RGB")
    if image.mode == "LA" and output.format not in _GREY_ALPHA_FORMATS:
        image = image.convert("RGBA")
    return _with_hard_edges(image) if output.format == "gif" else image


def _with_hard_edges(image: Image.Image) -> Image.Image:
    """Make every pixel opaque or clear, as a GIF must; clear ones all become the same colour."""
    if not has_alpha(image):
        return image
    opaque = image.getchannel("A").point([0] * 128 + [255] * 128)
    hard = Image.new("RGBA", image.size, (0, 0, 0, 0))
    hard.paste(image.convert("RGB"), (0, 0), opaque)
    return hard


def _alike(images: list[Image.Image]) -> list[Image.Image]:
    """Give all frames one mode."""
    mode = "RGBA" if any(has_alpha(image) for image in images) else "RGB"
    return [image.convert(mode) for image in images]


def _with_palette(image: Image.Image, output: Output) -> Image.Image:
    if output.colours is None:
        return image
    if has_alpha(image):
        return image.convert("RGBA").quantize(output.colours, Image.Quantize.FASTOCTREE)
    return image.quantize(output.colours, Image.Quantize.MEDIANCUT)


def _options(output: Output) -> dict[str, Any]:
    match output.format:
        case "jpeg":
            return {"quality": output.quality or JPEG_QUALITY}
        case "webp":
            return {"quality": output.quality or WEBP_QUALITY, "method": WEBP_METHOD}
        case "avif":
            return {"quality": output.quality or AVIF_QUALITY, "speed": AVIF_SPEED}
        case "png":
            return {"compress_level": PNG_LEVEL}
        case "tiff":
            return {"compression": "tiff_adobe_deflate"}
        case "gif" | "bmp":
            return {}


def _animation_options(
    name: FormatName, images: list[Image.Image], durations_ms: list[float], plays: int
) -> dict[str, Any]:
    options: dict[str, Any] = {
        "save_all": True,
        "append_images": images[1:],
        "duration": [round(duration_ms) for duration_ms in durations_ms],
        "loop": plays,
    }
    if name != "gif":
        return options
    if plays == 1:
        del options["loop"]  # a GIF without a loop runs once; its loop counts repetitions
    elif plays:
        options["loop"] = plays - 1
    if any(has_alpha(image) or "transparency" in image.info for image in images):
        options["disposal"] = 2  # or the frame before would show through
    return options
