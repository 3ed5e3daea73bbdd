"""Digests of files and perceptual hashes of images."""

import hashlib
import math
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from libs.imaging.orientation import UPRIGHT, apply_orientation
from libs.imaging.pillow_warnings import suppress_warnings
from libs.imaging.samples.pixel_modes import to_supported_mode
from libs.imaging.transparency import brightness, is_opaque, on_grey, visible_pixels

if TYPE_CHECKING:
    from PIL.Image import Image

HASH_VERSION = 2
"""The version of the perceptual hashes, stored with each of them; hashes of two versions may differ for the
same file. Version 1 hashed the stored pixels, before EXIF orientation, and the colours of clear pixels."""

IMPORTED_LATE = ("imagehash", "scipy.fftpack")
"""What the first call of `perceptual_hashes` imports: 0.3 s and 44 MiB that most importers do not need."""

_BITS = 64
_COLORHASH_PIXELS = 2_000_000
_COLORHASH_PIXELS_TRANSPARENT = 65_536


class Digests(Struct, frozen=True, kw_only=True):
    """Digests of a file's bytes, in hexadecimal."""

    md5: str
    sha256: str


class PerceptualHashes(Struct, frozen=True, kw_only=True):
    """Perceptual hashes in hexadecimal: the hashes of images that look alike differ in few bits."""

    phash: str  # 64 bits
    dhash: str  # 64 bits
    average_hash: str  # 64 bits
    colorhash: str  # 42 bits


def file_digests(path: Path) -> Digests:
    """Hash a file's bytes."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            md5.update(block)
            sha256.update(block)
    return Digests(md5=md5.hexdigest(), sha256=sha256.hexdigest())


def perceptual_hashes(image: "Image", orientation: int = UPRIGHT) -> PerceptualHashes:
    """Hash what an image shows, with the imagehash library: the upright picture, without clear pixels.

    The hashes of an opaque, upright file equal those that imagehash computes of the opened file.

    Args:
        image: The pixels of an opened file, not scaled or converted.
        orientation: The EXIF orientation of these pixels.
    """
    import imagehash  # see IMPORTED_LATE

    with suppress_warnings():
        visible = _transparent_pixels(image)
        grey = apply_orientation(brightness(visible or image), orientation)
        return PerceptualHashes(
            phash=str(imagehash.phash(grey)),
            dhash=str(imagehash.dhash(grey)),
            average_hash=str(imagehash.average_hash(grey)),
            colorhash=str(imagehash.colorhash(_colorhash_pixels(visible or image))),
        )


def _transparent_pixels(image: "Image") -> "Image | None":
    """Return the pixels in mode LA or RGBA if any is transparent."""
    if not image.has_transparency_data:
        return None
    pixels = to_supported_mode(image)
    return None if is_opaque(pixels) else pixels


def _colorhash_pixels(image: "Image") -> "Image":
    """Reduce a large image, for which the colour hash would take half a second, and drop clear pixels.

    The colour hash depends on the frequencies of colours alone, not on their places.
    """
    if is_opaque(image):
        factor = _factor(image, _COLORHASH_PIXELS)
        if factor == 1:
            return image
        return image.convert("RGBA" if image.has_transparency_data else "RGB").reduce(factor)
    reduced = image.reduce(_factor(image, _COLORHASH_PIXELS_TRANSPARENT))
    return visible_pixels(reduced) or on_grey(reduced)


def _factor(image: "Image", pixels: int) -> int:
    """Return the integer by which to divide both sides so that at most about `pixels` are left."""
    return math.ceil(math.sqrt(image.width * image.height / pixels))


def distance(first: str, second: str) -> int:
    """Return the Hamming distance of two hashes of the same kind."""
    return (int(first, 16) ^ int(second, 16)).bit_count()


def signed64(digits: str) -> int:
    """Convert a 64-bit hash to the value of a signed 64-bit database column."""
    value = int(digits, 16)
    return value - (1 << _BITS) if value >= 1 << (_BITS - 1) else value


def hex64(value: int) -> str:
    """Convert the value of `signed64` back to the hash."""
    return f"{value % (1 << _BITS):016x}"
