"""Open and decode files with Pillow, and translate its errors to those of this library."""

import struct
import zlib
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO

from PIL import Image, JpegImagePlugin, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from libs.imaging.containers.avif_exif import find_exif
from libs.imaging.errors import ImageTruncated, OutOfMemory, TooMuchMetadata, UnreadableImage
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.jpeg_reader import JpegReader
from libs.imaging.limits import MAX_PROFILE_BYTES, MAX_TEXT_BYTES, check_metadata
from libs.imaging.pillow_warnings import suppress_warnings
from libs.imaging.repairs import repaired
from libs.imaging.samples.png_reader import PngReader
from libs.imaging.samples.tiff_pixels_only import TiffPixelsOnly
from libs.imaging.samples.webp_reader import WebpReader

Image.MAX_IMAGE_PIXELS = None  # `read_header` has checked the size before Pillow sees the file

_XMP_KEYS = ("xmp", "XML:com.adobe.xmp")  # in `info`

_READERS: dict[FormatName, type[ImageFile]] = {"jpeg": JpegReader, "png": PngReader, "webp": WebpReader}
_DAMAGE = (SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, struct.error, zlib.error)


def _read_no_resolution(_: JpegImagePlugin.JpegImageFile) -> None:
    """Replace what Pillow does with EXIF when it opens a JPEG, which fails if a tag is damaged."""


setattr(JpegImagePlugin.JpegImageFile, "_read_dpi_from_exif", _read_no_resolution)  # noqa: B010


def _reader(name: FormatName) -> type[ImageFile] | None:
    """Return the class that opens a format; None is Pillow's own choice.

    Few files need these formats, which take memory: NumPy, libavif, libheif or libjxl.
    """
    if name == "avif":
        from PIL import AvifImagePlugin

        AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # there is a render process for each processor
    if name == "tiff":
        from libs.imaging.samples.tiff_reader import TiffReader

        return TiffReader
    if name == "heic":
        from libs.imaging.samples.heif_reader import HeifReader

        return HeifReader
    if name == "jxl":
        from libs.imaging.samples.jxl_reader import JxlReader

        return JxlReader
    return _READERS.get(name)


@contextmanager
def translated_errors() -> Generator[None]:
    """Translate what Pillow raises for a bad file.

    Raises:
        ImageTruncated: The file ends too early.
        TooMuchMetadata: A compressed text is too large.
        UnreadableImage: The file is damaged in another way.
        OutOfMemory: The pixels do not fit into memory.
    """
    try:
        with suppress_warnings():
            yield
    except MemoryError as error:
        raise OutOfMemory from error
    except EOFError as error:
        raise ImageTruncated from error
    except OSError as error:
        if error.errno is not None:  # the disk failed; the file's contents are not at fault
            raise
        raise _translated(error) from error
    except RuntimeError as error:  # raised by the AVIF decoder
        raise _translated(error) from error
    except _DAMAGE as error:
        message = str(error).lower()
        if "too large" in message or "too much memory" in message:  # a decompressed text
            raise TooMuchMetadata("text", MAX_TEXT_BYTES) from error
        raise UnreadableImage("its data is damaged") from error


def _translated(error: OSError | RuntimeError) -> ImageTruncated | UnreadableImage | OutOfMemory:
    """Translate an error by its message, because Pillow has no classes for the cases."""
    message = str(error).lower()
    if "truncated" in message:
        return ImageTruncated()
    if "memory" in message:
        return OutOfMemory()
    if "cannot identify" in message:
        return UnreadableImage("its header is damaged")
    return UnreadableImage("its data is damaged")


@contextmanager
def open_image(source: Path | BinaryIO, name: FormatName) -> Generator[ImageFile]:
    """Open a file of the format `name`, without decoding it.

    Raises:
        SourceFault: The file is damaged, or its colour profile is too large.
    """
    with ExitStack() as stack:
        if isinstance(source, Path):
            with translated_errors():
                source = repaired(source, name) or source
        if name == "tiff" and isinstance(source, Path):
            # Pillow maps a TIFF that it opens by path into memory, and then misreads it if it is rotated.
            source = stack.enter_context(TiffPixelsOnly(source))
        if name == "png" and isinstance(source, Path):
            source = stack.enter_context(source.open("rb"))  # it may be decoded twice
        if name == "avif" and isinstance(source, Path):
            source = _without_exif(source)
        with translated_errors():
            image = stack.enter_context(_open(source, name))
        check_metadata("colour profile", len(image.info.get("icc_profile") or b""), MAX_PROFILE_BYTES)
        stack.enter_context(_exif_alone(image))
        yield image


def _without_exif(source: Path) -> Path | BinaryIO:
    """Return an AVIF in which Pillow finds no EXIF, if it has some.

    Pillow replaces the orientation in it, which fails for some blocks; `metadata_blocks` reads it instead.
    """
    with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        item = find_exif(data)
        if item is None:
            return source
        copy = BytesIO(data)
    copy.seek(item.type_at)
    copy.write(b"free")
    copy.seek(0)
    return copy


@contextmanager
def _exif_alone(image: ImageFile) -> Generator[None]:
    """Make `image.getexif()` return what EXIF says, and nothing else.

    Pillow takes a missing orientation from XMP, and turns a TIFF by it. libvips, ImageMagick and browsers do
    not: XMP often survives an editor that has turned the pixels.
    """
    read = image.getexif

    def getexif() -> Image.Exif:
        hidden = {key: image.info.pop(key) for key in _XMP_KEYS if key in image.info}
        try:
            return read()
        finally:
            image.info.update(hidden)

    image.getexif = getexif
    try:
        yield
    finally:
        vars(image).pop("getexif", None)  # an image that refers to itself is freed late


def _open(source: Path | BinaryIO, name: FormatName) -> ImageFile:
    reader = _reader(name)
    if reader is None:
        return Image.open(source, formats=[FORMATS[name].pillow])
    try:
        return reader(source)
    except (SyntaxError, IndexError, TypeError, struct.error) as error:
        raise UnidentifiedImageError("cannot identify image file") from error
