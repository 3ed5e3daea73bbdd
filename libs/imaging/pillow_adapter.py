"""Opening and decoding with Pillow, its errors and warnings made ours."""

import struct
import zlib
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image
from PIL.ImageFile import ImageFile

from libs.imaging.errors import ImageTruncated, OutOfMemory, TooMuchMetadata, UnreadableImage
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.limits import MAX_PROFILE_BYTES, MAX_TEXT_BYTES, check_metadata
from libs.imaging.pillow_warnings import quiet

KEPT_BLOCKS = 4
"""Blocks of 16 MiB that Pillow keeps for the next image instead of giving them back: memory for 12 MP that
was used before costs 4 ms, new memory 33 ms. A process that has worked on large pictures holds 64 MiB."""

Image.core.set_blocks_max(KEPT_BLOCKS)
Image.MAX_IMAGE_PIXELS = None  # `read_header` has checked the size before Pillow sees the file

_DAMAGE = (SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, struct.error, zlib.error)


@contextmanager
def decoding() -> Generator[None]:
    """Turn what Pillow raises over a bad file into our errors.

    Raises:
        ImageTruncated: The file ends too early.
        UnreadableImage: It is damaged in another way.
        OutOfMemory: Its pixels do not fit into memory.
    """
    try:
        with quiet():
            yield
    except MemoryError as error:
        raise OutOfMemory from error
    except EOFError as error:
        raise ImageTruncated from error
    except OSError as error:
        if error.errno is not None:  # of the disk, not of the file's contents
            raise
        raise _told_apart(error) from error
    except RuntimeError as error:  # of the AVIF decoder
        raise _told_apart(error) from error
    except _DAMAGE as error:
        if "too large" in str(error).lower() or "too much memory" in str(error).lower():  # inflated text
            raise TooMuchMetadata("text", MAX_TEXT_BYTES) from error
        raise UnreadableImage("its data is damaged") from error


def _told_apart(error: OSError | RuntimeError) -> ImageTruncated | UnreadableImage | OutOfMemory:
    """Pillow's errors differ only in their words."""
    words = str(error).lower()
    if "truncated" in words:
        return ImageTruncated()
    if "memory" in words:
        return OutOfMemory()
    if "cannot identify" in words:
        return UnreadableImage("its header is damaged")
    return UnreadableImage("its data is damaged")


@contextmanager
def opened(source: Path | BinaryIO, name: FormatName) -> Generator[ImageFile]:
    """Open a file that is known to be in format `name`, without decoding it."""
    with ExitStack() as stack:
        if name == "tiff" and isinstance(source, Path):
            # By its name Pillow would map it into memory, and garble what EXIF lays on its side.
            source = stack.enter_context(source.open("rb"))
        with decoding():
            image = stack.enter_context(Image.open(source, formats=[FORMATS[name].pillow]))
        check_metadata("colour profile", len(image.info.get("icc_profile") or b""), MAX_PROFILE_BYTES)
        yield image
