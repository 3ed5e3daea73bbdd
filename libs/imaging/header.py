"""What a file says it holds, read and checked before anything is allocated for it."""

from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import cast

from msgspec import Struct
from PIL.TiffImagePlugin import TiffImageFile

from libs.imaging.containers import avif, gif, jpeg, png, tiff, webp
from libs.imaging.containers.shape import Shape
from libs.imaging.errors import EmptyFile, ImageTruncated, NotAnImage, UnreadableImage
from libs.imaging.format_detection import HEAD_BYTES, recognise
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.limits import MAX_SCANS, Limits
from libs.imaging.pillow_adapter import opened

_IMAGE_WIDTH, _IMAGE_LENGTH = 256, 257  # TIFF tags


class Header(Struct, frozen=True, kw_only=True):
    """What is known of an image without decoding it."""

    format: FormatName
    mime: str
    extension: str  # without the dot
    width: int  # of the stored pixels, before EXIF turning
    height: int
    frames: int  # of an animation, or pages of a TIFF


def read_header(path: Path, limits: Limits) -> Header:
    """Read and check a file's header; its name plays no part, its pixels are never decoded.

    A file whose header is fine passes, even when its body is cut short.

    Raises:
        SourceFault: The file is no accepted image, or goes beyond `limits`; see its subclasses.
    """
    limits.check_bytes(path.stat().st_size)
    with path.open("rb") as file:
        if not file.read(1):
            raise EmptyFile
        with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            name = recognise(data[:HEAD_BYTES])
            shape = _measure(path, name, data, limits)
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
    )


def _measure(path: Path, name: FormatName, data: mmap, limits: Limits) -> Shape:
    match name:
        case "gif":
            return gif.walk(data, limits.max_frames).shape
        case "webp":
            return webp.measure(data, limits.max_frames)
        case "png":
            return png.measure(data)
        case "jpeg":
            return jpeg.measure(data, MAX_SCANS)
        case "avif":
            return _measure_avif(path, data, limits)
        case "tiff":
            pages = tiff.count_pages(data, limits.max_frames)
            limits.check(1, 1, pages)  # Pillow would follow them all
            return _measure_tiff(path, pages)
        case "bmp":
            return _measure_bmp(path)


def _measure_avif(path: Path, data: mmap, limits: Limits) -> Shape:
    """Ask the decoder, once the size has been checked; it refuses a file that is cut."""
    shape = avif.measure(data)
    limits.check(*shape)
    if not avif.is_whole(data):
        return shape
    with opened(path, "avif") as image:
        return Shape(*image.size, frames=getattr(image, "n_frames", 1))


def _measure_tiff(path: Path, pages: int) -> Shape:
    with opened(path, "tiff") as image:
        tags = cast(TiffImageFile, image).tag_v2
        return Shape(int(tags[_IMAGE_WIDTH]), int(tags[_IMAGE_LENGTH]), pages)


def _measure_bmp(path: Path) -> Shape:
    try:
        with opened(path, "bmp") as image:
            return Shape(*image.size)
    except (UnreadableImage, ImageTruncated) as error:  # two letters prove nothing
        raise NotAnImage from error
