"""Hashes of files and pictures."""

import hashlib
import math
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from libs.imaging.pillow_warnings import quiet

if TYPE_CHECKING:
    from PIL.Image import Image

_BITS = 64
_COLORHASH_PIXELS = 2_000_000


class Digest(Struct, frozen=True, kw_only=True):
    """Hashes of a file's bytes: equal for equal bytes only."""

    md5: str  # hexadecimal
    sha256: str


class Hashes(Struct, frozen=True, kw_only=True):
    """Perceptual hashes in hexadecimal: images that look alike have hashes that differ in few bits."""

    phash: str  # 64 bits
    dhash: str  # 64 bits
    average_hash: str  # 64 bits
    colorhash: str  # 42 bits


def digest(path: Path) -> Digest:
    """Hash a file's bytes."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            md5.update(block)
            sha256.update(block)
    return Digest(md5=md5.hexdigest(), sha256=sha256.hexdigest())


def phash(image: "Image") -> str:
    """Give the pHash as 16 hexadecimal digits, equal to that of the imagehash library.

    It is that of the pixels as stored: pass an opened file neither turned, scaled nor converted.
    """
    import imagehash  # takes 0.4 s and 44 MiB, which those who do not hash should not pay

    with quiet():
        return str(imagehash.phash(image))


def hashes(image: "Image") -> Hashes:
    """Give all of the imagehash library's hashes of one decode; see `phash`."""
    import imagehash

    with quiet():
        grey = image.convert("L")
        return Hashes(
            phash=str(imagehash.phash(grey)),
            dhash=str(imagehash.dhash(grey)),
            average_hash=str(imagehash.average_hash(grey)),
            colorhash=str(imagehash.colorhash(_not_huge(image))),
        )


def _not_huge(image: "Image") -> "Image":
    """Shrink what would take half a second to sort by colour."""
    factor = math.ceil(math.sqrt(image.width * image.height / _COLORHASH_PIXELS))
    if factor == 1:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB").reduce(factor)


def distance(one: str, other: str) -> int:
    """Count the bits in which two hashes of the same kind differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def signed64(digits: str) -> int:
    """Give the number that a signed 64-bit database column holds for a hash."""
    value = int(digits, 16)
    return value - (1 << _BITS) if value >= 1 << (_BITS - 1) else value


def hex64(value: int) -> str:
    """Give back the hash that `signed64` was made from."""
    return f"{value % (1 << _BITS):016x}"
