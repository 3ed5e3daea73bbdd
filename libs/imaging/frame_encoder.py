"""From frames to a file."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace
from PIL import Image

from libs.imaging.compositing import flatten, has_alpha, without_needless_alpha
from libs.imaging.encoder_options import animation_options, options_for
from libs.imaging.errors import EncodingFailed, OutOfMemory
from libs.imaging.formats import FORMATS
from libs.imaging.frame_decoder import Frame
from libs.imaging.metadata_copy import Extras, options_of
from libs.imaging.operations.compress import palette_size
from libs.imaging.operations.operation import Output
from libs.imaging.pillow_warnings import quiet
from libs.imaging.quality_search import search

_GREY_FORMATS = {"jpeg", "png", "tiff", "bmp", "gif"}
_GREY_ALPHA_FORMATS = {"png", "tiff"}
_NOTHING = Extras()
_COARSE = [round(round(value * 127 / 255) * 255 / 127) for value in range(256)]
_MOVING, _MOVING_IF_LARGE = 0.01, 0.03
_LARGE = 250_000  # pixels
"""A palette is cut from 128 of 256 shades a channel, black and white kept, and then settled by k-means until
fewer than this share of the pixels change theirs: 1.5 dB nearer than a median cut of all, in as much time
(means of eleven photographs). Large ones would take long to settle as far."""


def write(
    frames: Sequence[Frame], plays: int, target: Path, output: Output, extras: Extras = _NOTHING
) -> None:
    """Write an image, or an animation that runs `plays` times (0: for ever).

    The target is a real file, never a buffer: only then do encoders release the interpreter lock. A search
    for a size uses a second file beside it.

    Raises:
        EncodingFailed: The format cannot hold the result.
        TargetUnreachable: No quality makes it as small as was asked.
        OutOfMemory: The encoder ran out of memory.
    """
    output = _settled(frames, output)
    images = [_fit(frame.image, output) for frame in frames]
    if len(images) > 1:
        images = _alike(images)
    durations_ms = [frame.duration_ms for frame in frames]

    def save(path: Path, quality: int | None) -> None:
        _save(images, durations_ms, plays, path, replace(output, quality=quality), extras)

    if output.max_bytes is None or output.quality is None or output.lossless:
        save(target, output.quality)
    else:
        palette = output.format in {"png", "gif"}
        search(save, target, output.quality, output.max_bytes, palette=palette)


def _settled(frames: Sequence[Frame], output: Output) -> Output:
    """Choose between two formats by the pixels."""
    if output.opaque_format is None or len(frames) > 1:
        return output
    if has_alpha(without_needless_alpha(frames[0].image)):
        return output
    return replace(output, format=output.opaque_format)


def _save(
    images: list[Image.Image],
    durations_ms: list[float],
    plays: int,
    path: Path,
    output: Output,
    extras: Extras,
) -> None:
    images = [_with_palette(image, output) for image in images]
    options = options_for(output) | options_of(extras, output.format, images[0])
    if len(images) > 1:
        options |= animation_options(output.format, images, durations_ms, plays)
    with _encoding(FORMATS[output.format].pillow):
        images[0].save(path, format=FORMATS[output.format].pillow, **options)


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
    colours = output.colours
    if output.max_bytes is not None and output.quality is not None:
        colours = palette_size(output.quality)
    if output.format == "gif" and image.mode == "RGB":
        colours = colours or 256
    if colours is None or output.format not in {"png", "gif"}:
        return image
    if has_alpha(image):
        return image.convert("RGBA").quantize(colours, Image.Quantize.FASTOCTREE)
    if image.getcolors(colours):
        return image.quantize(colours, Image.Quantize.MEDIANCUT)
    coarse = image.point(_COARSE * len(image.getbands()))
    pixels = image.width * image.height
    moving = int(pixels * (_MOVING if pixels < _LARGE else _MOVING_IF_LARGE))
    return coarse.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=max(1, moving))
