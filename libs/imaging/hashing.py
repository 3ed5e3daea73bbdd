"""Digests of files and perceptual hashes of images."""

import hashlib
import math
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from libs.imaging.pillow_warnings import suppress_warnings

if TYPE_CHECKING:
    from PIL.Image import Image

_BITS = 64
_COLORHASH_PIXELS = 2_000_000


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


def perceptual_hashes(image: "Image") -> PerceptualHashes:
    """Hash an image with the imagehash library.

    The hashes are those of the stored pixels: pass an opened file that is not rotated, scaled or converted.
    """
    import imagehash  # here, because it takes 0.4 s and 44 MiB that most importers do not need

    with suppress_warnings():
        grey = image.convert("L")
        return PerceptualHashes(
            phash=str(imagehash.phash(grey)),
            dhash=str(imagehash.dhash(grey)),
            average_hash=str(imagehash.average_hash(grey)),
            colorhash=str(imagehash.colorhash(_reduced_for_colorhash(image))),
        )


def _reduced_for_colorhash(image: "Image") -> "Image":
    """Reduce a large image, for which the colour hash would take half a second."""
    factor = math.ceil(math.sqrt(image.width * image.height / _COLORHASH_PIXELS))
    if factor == 1:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB").reduce(factor)


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
