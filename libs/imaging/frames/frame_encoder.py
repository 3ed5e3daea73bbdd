"""Encode frames into a file."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from msgspec.structs import replace
from PIL import Image

from libs.imaging.colour.signalling import add_signalling, rewrite_nclx
from libs.imaging.colour.spaces import ColourSpace
from libs.imaging.complete_file import CompleteFile
from libs.imaging.compositing import drop_opaque_alpha, flatten, has_alpha, threshold_alpha
from libs.imaging.containers import webp
from libs.imaging.encoder_options import animation_options, still_options
from libs.imaging.errors import EncodingFailed, OutOfMemory
from libs.imaging.formats import FORMATS
from libs.imaging.frames.frame_composer import Frame
from libs.imaging.metadata.metadata_copy import CopiedMetadata, metadata_options, tiff_metadata
from libs.imaging.metadata.tiff_metadata import add_metadata
from libs.imaging.operations.compress import palette_size
from libs.imaging.operations.operation import Output
from libs.imaging.pillow_warnings import suppress_warnings
from libs.imaging.quality_search import search_quality

_GREY_FORMATS = {"jpeg", "png", "tiff", "bmp", "gif", "jxl"}
_GREY_ALPHA_FORMATS = {"png", "tiff", "jxl"}
_NO_METADATA = CopiedMetadata()

_TO_128_SHADES = [round(round(value * 127 / 255) * 255 / 127) for value in range(256)]
_KMEANS_STOP, _KMEANS_STOP_LARGE = 0.01, 0.03
_LARGE_PIXELS = 250_000
"""A palette is a median cut of 128 of 256 shades per channel, with black and white kept, refined by k-means
until fewer than this fraction of the pixels change their colour. On average over eleven photographs it is
1.5 dB closer than a median cut of all shades and takes as long. Large images stop earlier to save time."""


def write(
    frames: Sequence[Frame],
    plays: int,
    target: Path,
    output: Output,
    metadata: CopiedMetadata = _NO_METADATA,
    colours: ColourSpace | None = None,
) -> None:
    """Write a still image, or an animation that plays `plays` times (0: forever).

    `colours` are those of the frames if they are neither in sRGB nor described by the profile in `metadata`.
    A search for `max_bytes` writes a second file beside the target.

    Raises:
        EncodingFailed: The format cannot hold the result.
        TargetUnreachable: No quality makes the file as small as `max_bytes`.
        OutOfMemory: The encoder ran out of memory.
    """
    output = _with_chosen_format(frames, output)
    images = [_to_format_mode(frame.image, output) for frame in frames]
    if len(images) > 1:
        images = _to_same_mode(images)
    durations_ms = [frame.duration_ms for frame in frames]

    def save(path: Path, quality: int | None) -> None:
        _save(images, durations_ms, plays, path, replace(output, quality=quality), metadata, colours)

    if output.max_bytes is None or output.quality is None or output.lossless:
        save(target, output.quality)
    else:
        palette = output.format in {"png", "gif"}
        search_quality(save, target, output.quality, output.max_bytes, palette=palette)


def _with_chosen_format(frames: Sequence[Frame], output: Output) -> Output:
    """Use `opaque_format`, if there is one, for a still image without transparency."""
    if output.opaque_format is None or len(frames) > 1:
        return output
    if has_alpha(drop_opaque_alpha(frames[0].image)):
        return output
    return replace(output, format=output.opaque_format)


def _save(
    images: list[Image.Image],
    durations_ms: list[float],
    plays: int,
    path: Path,
    output: Output,
    metadata: CopiedMetadata,
    colours: ColourSpace | None,
) -> None:
    images = [_to_palette(image, output) for image in images]
    if output.format == "jxl":
        import_module("pillow_jxl")  # which registers its encoder with Pillow
    options = still_options(output) | metadata_options(metadata, output.format, images[0])
    if colours:
        add_signalling(options, colours, output.format, grey=images[0].mode in {"L", "LA"})
    if len(images) > 1:
        options |= animation_options(output.format, images, durations_ms, plays)
    with _encoding_errors(FORMATS[output.format].pillow), CompleteFile(path) as file:
        images[0].save(file, format=FORMATS[output.format].pillow, **options)
        if colours and output.format == "avif":
            rewrite_nclx(file, colours)
        if output.format == "webp" and len(images) > 1:
            _announce_alpha(file)
    if output.format == "tiff" and (added := tiff_metadata(metadata, images[0])):
        add_metadata(path, added)


def _announce_alpha(file: CompleteFile) -> None:
    """Set the flag that libwebp leaves out if no frame has alpha, but some part of the canvas is clear."""
    file.seek(0)
    data = file.read()
    if webp.lacks_alpha_flag(data):
        file.seek(0)
        file.write(webp.with_alpha_flag(data))


@contextmanager
def _encoding_errors(pillow_name: str) -> Generator[None]:
    """Translate what Pillow's encoders raise."""
    try:
        with suppress_warnings():
            yield
    except MemoryError as error:
        raise OutOfMemory from error
    except (OSError, ValueError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk failed
            raise
        if "memory" in str(error).lower():
            raise OutOfMemory from error
        raise EncodingFailed(pillow_name, str(error)) from error


def _to_format_mode(image: Image.Image, output: Output) -> Image.Image:
    """Convert an image to a mode that the format can hold."""
    keeps_alpha = FORMATS[output.format].alpha
    image = drop_opaque_alpha(image) if keeps_alpha else flatten(image, output.background)
    if image.mode == "L" and output.format not in _GREY_FORMATS:
        return image.convert("RGB")
    if image.mode == "LA" and output.format not in _GREY_ALPHA_FORMATS:
        image = image.convert("RGBA")
    return _with_binary_alpha(image) if output.format == "gif" else image


def _with_binary_alpha(image: Image.Image) -> Image.Image:
    """Make every pixel opaque or transparent, as GIF requires, and give all transparent pixels one colour."""
    if not has_alpha(image):
        return image
    result = Image.new("RGBA", image.size, (0, 0, 0, 0))
    result.paste(image.convert("RGB"), (0, 0), threshold_alpha(image.getchannel("A")))
    return result


def _to_same_mode(images: list[Image.Image]) -> list[Image.Image]:
    mode = "RGBA" if any(has_alpha(image) for image in images) else "RGB"
    return [image.convert(mode) for image in images]


def _to_palette(image: Image.Image, output: Output) -> Image.Image:
    """Reduce the colours if the output has a palette."""
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
    fewer_shades = image.point(_TO_128_SHADES * len(image.getbands()))
    pixels = image.width * image.height
    fraction = _KMEANS_STOP if pixels < _LARGE_PIXELS else _KMEANS_STOP_LARGE
    return fewer_shades.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=max(1, int(pixels * fraction)))
