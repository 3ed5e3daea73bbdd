"""Perceptual hashes: images that look alike have hashes that differ in few bits."""

from typing import TYPE_CHECKING

from libs.imaging.quiet import quiet

if TYPE_CHECKING:
    from PIL.Image import Image

_BITS = 64


def phash(image: "Image") -> str:
    """Give the pHash as 16 hexadecimal digits, equal to that of the imagehash library.

    It is that of the pixels as stored: pass an opened file neither turned, scaled nor converted.
    """
    import imagehash  # takes 0.4 s and 44 MiB, which those who do not hash should not pay

    with quiet():
        return str(imagehash.phash(image))


def signed64(digits: str) -> int:
    """Give the number that a signed 64-bit database column holds for a hash."""
    value = int(digits, 16)
    return value - (1 << _BITS) if value >= 1 << (_BITS - 1) else value


def hex64(value: int) -> str:
    """Give back the hash that `signed64` was made from."""
    return f"{value % (1 << _BITS):016x}"
