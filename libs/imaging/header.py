"""Read and check a file's header before memory is allocated for its pixels."""

from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import cast

from msgspec import Struct
from PIL.TiffImagePlugin import TiffImageFile

from libs.imaging.colour.spaces import ColourSpace
from libs.imaging.containers import avif, bmp, colour_chunks, gif, heif, jpeg, jxl, png, tiff, webp
from libs.imaging.containers.shape import Shape
from libs.imaging.errors import EmptyFile, FormatNotAccepted, UnreadableImage
from libs.imaging.format_detection import HEAD_BYTES, detect_format
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.limits import MAX_SCANS, Limits
from libs.imaging.pillow_adapter import open_image, translated_errors

_IMAGE_WIDTH, _IMAGE_LENGTH = 256, 257  # TIFF tags


class Header(Struct, frozen=True, kw_only=True):
    """Facts about an image that are known without decoding it."""

    format: FormatName
    mime: str
    extension: str  # without the dot
    width: int  # of the stored pixels, before EXIF orientation; of the upright ones in a HEIC and a JPEG XL
    height: int
    frames: int  # pages of a TIFF, pictures of a HEIC
    colours: ColourSpace | None = None  # what is said about them besides an ICC profile


def read_header(path: Path, limits: Limits) -> Header:
    """Read and check a file's header. The file's name does not matter, and no pixel is decoded.

    A truncated file passes as long as its header is complete; see `truncation`.

    Raises:
        SourceFault: The file is not an accepted image, or is above `limits`.
    """
    limits.check_bytes(path.stat().st_size)
    with path.open("rb") as file:
        if not file.read(1):
            raise EmptyFile
        with mmap(file.fileno(), 0, access=ACCESS_READ) as data, translated_errors():
            name = detect_format(data[:HEAD_BYTES])
            shape = _measure(path, name, data, limits)
            colours = _read_colours(name, data)
    if name != "heic":  # of which one picture is decoded, and all are checked
        limits.check(*shape)
    if not shape.width or not shape.height:
        raise UnreadableImage("its header gives no size")
    known = FORMATS[name]
    return Header(
        format=name,
        mime=known.mime,
        extension=known.extension,
        width=shape.width,
        height=shape.height,
        frames=shape.frames,
        colours=colours,
    )


def _read_colours(name: FormatName, data: mmap) -> ColourSpace | None:
    match name:
        case "png":
            return colour_chunks.read_png(data)
        case "avif" | "heic":
            return colour_chunks.read_avif(data)
        case "jxl":
            colours = jxl.read_header(data).colours
            return None if colours == "icc" else colours
        case _:
            return None


def _measure(path: Path, name: FormatName, data: mmap, limits: Limits) -> Shape:
    match name:
        case "gif":
            return _measure_gif(data, limits)
        case "webp":
            return webp.measure(data, limits.max_frames)
        case "png":
            return png.measure(data)
        case "jpeg":
            return jpeg.measure(data, MAX_SCANS)
        case "avif":
            return _measure_avif(path, data, limits)
        case "tiff":
            return _measure_tiff(path, data, limits)
        case "bmp":
            return bmp.measure(data)
        case "heic":
            return _measure_heic(path, data, limits)
        case "jxl":
            return jxl.read_header(data).shape


def _measure_gif(data: mmap, limits: Limits) -> Shape:
    blocks = gif.read_blocks(data, limits.max_frames)
    limits.check(*blocks.extent, blocks.shape.frames)  # of frames that are decoded and cut off, too
    return blocks.shape


def _measure_avif(path: Path, data: mmap, limits: Limits) -> Shape:
    """Have the decoder count the frames after the size is checked; a truncated file counts as one frame."""
    shape = avif.measure(data)
    limits.check(*shape)
    if not avif.is_complete(data):
        return shape
    with open_image(path, "avif") as image:
        return Shape(*image.size, frames=getattr(image, "n_frames", 1))


def _measure_heic(path: Path, data: mmap, limits: Limits) -> Shape:
    """Have the decoder count the pictures after all sizes are checked; a truncated file counts as one."""
    shape = heif.measure(data)
    for size in heif.allocated_sizes(data):
        limits.check(*(max(1, side - heif.PADDING) for side in size[:2]))
    limits.check(shape.width, shape.height)
    if not shape.width or not shape.height or not heif.is_complete(data):
        return shape
    with open_image(path, "heic") as image:
        frames = getattr(image, "n_frames", 1)
        limits.check(1, 1, frames)
        return Shape(*image.size, frames)


def _measure_tiff(path: Path, data: mmap, limits: Limits) -> Shape:
    if raw := tiff.camera_raw_name(data):
        raise FormatNotAccepted(raw)
    if data[:4] == b"MM\0+":  # which Pillow takes for a file with offsets of 32 bits
        raise UnreadableImage("BigTIFF in big-endian byte order is not supported")
    pages = tiff.count_pages(data, limits.max_frames)
    limits.check(1, 1, pages)  # before Pillow, which would read all of them
    with open_image(path, "tiff") as image:
        tags = cast(TiffImageFile, image).tag_v2
        return Shape(int(tags[_IMAGE_WIDTH]), int(tags[_IMAGE_LENGTH]), pages)
