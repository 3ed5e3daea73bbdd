# ruff: noqa: S311 - no secrets
"""Scale random boxes of images between pages that may not be touched: `python guarded_scaling.py COUNT`.

The pixels of an image end where such a page starts, or start where one ends, so that reading outside ends the
process. The pixels of the result are compared with Pillow's.
"""

import ctypes
import random
import sys
from mmap import PAGESIZE, PROT_READ, PROT_WRITE, mmap

from PIL import Image, ImageChops

from libs.imaging.geometry import Box, Size
from libs.imaging.resampling import Filter, ScaleAxis, scale_axis_by_pillow, scale_by_axis, simd_axis

_KERNELS: tuple[Filter, ...] = ("lanczos", "bicubic", "bilinear")
_FACTORS = (1, 2, 3, 4, 8, 1 / 2, 1 / 3, 1 / 4, 3 / 2)
_LIBC = ctypes.CDLL(None)


class GuardedImage:
    """An image without memory around its pixels; in mode L or CMYK, since Pillow maps no other."""

    def __init__(self, mode: str, size: Size) -> None:
        count = size[0] * size[1] * len(mode)
        self._pages = -(-count // PAGESIZE)
        memory = mmap(-1, (self._pages + 2) * PAGESIZE)
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        start = PAGESIZE + random.choice([0, self._pages * PAGESIZE - count])
        memory[start : start + count] = random.randbytes(count)
        pixels = memoryview(memory)[start : start + count]
        self.image = Image.frombuffer(mode, size, pixels, "raw", mode, 0, 1)  # pyright: ignore[reportArgumentType]
        self._protect(0)

    def release(self) -> None:
        self._protect(PROT_READ | PROT_WRITE)

    def _protect(self, access: int) -> None:
        for page in (0, self._pages + 1):
            if _LIBC.mprotect(ctypes.c_void_p(self._address + page * PAGESIZE), PAGESIZE, access):
                raise OSError("mprotect failed")


def main() -> None:
    axis = simd_axis()
    assert axis is not None
    for _ in range(int(sys.argv[1])):
        _scale_one(axis)


def _scale_one(axis: ScaleAxis) -> None:
    guarded = GuardedImage(random.choice(["L", "CMYK"]), (_side(), _side()))
    image = guarded.image
    left, right = _span(image.width)
    top, bottom = _span(image.height)
    size = (_scaled(right - left), _scaled(bottom - top))
    kernel, box = random.choice(_KERNELS), Box(left, top, right, bottom)
    made = scale_by_axis(axis, image, size, kernel, box)
    guarded.release()
    expected = scale_by_axis(scale_axis_by_pillow, image, size, kernel, box)
    difference = max(ImageChops.difference(made, expected).tobytes())
    assert difference <= 2, (image.mode, image.size, size, kernel, box, difference)


def _side() -> int:
    return random.randint(1, random.choice([12, 80, 300]))


def _span(side: int) -> tuple[float, float]:
    """Choose a part of a side: all of it, or from one fraction of a pixel to another."""
    parts = random.choice([1, 1, 2, 3, 5, 7, 10, 16])
    start, end = sorted(random.sample(range(side * parts + 1), 2))
    return random.choice([(0, side), (start / parts, end / parts)])


def _scaled(length: float) -> int:
    return random.choice([_side(), max(1, min(600, round(length * random.choice(_FACTORS))))])


if __name__ == "__main__":
    main()
