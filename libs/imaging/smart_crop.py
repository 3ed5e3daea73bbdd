"""Find the part of an image with the most detail, measured as the energy of its edges."""

from collections.abc import Iterable, Sequence
from itertools import accumulate

from PIL import ImageChops
from PIL.Image import Image

from libs.imaging.geometry import Size
from libs.imaging.resampling import scale
from libs.imaging.transparency import brightness

_WORKING_SIDE = 256
"""Images are reduced to about this longest side before edges are measured: finer edges are mostly noise."""


def find_most_detailed(frames: Sequence[Image], inner: Size) -> Size:
    """Return left and top of the box of size `inner` with the most edge energy over all frames.

    The left is chosen first, by columns, and then the top, by rows. Of equally good positions the one
    nearest to the centre is chosen, so the same pixels always give the same position.
    """
    width, height = frames[0].size
    columns, rows = [0.0] * width, [0.0] * height
    if inner[0] < width:
        columns = _sum_profiles(_edge_profile(frame, (width, 1)) for frame in frames)
    left = _best_window(columns, inner[0])
    if inner[1] < height:
        strips = (frame.crop((left, 0, left + inner[0], height)) for frame in frames)
        rows = _sum_profiles(_edge_profile(strip, (1, height)) for strip in strips)
    return left, _best_window(rows, inner[1])


def _sum_profiles(profiles: Iterable[list[float]]) -> list[float]:
    return [sum(values) for values in zip(*profiles, strict=True)]


def _edge_profile(image: Image, size: Size) -> list[float]:
    """Return the mean edge energy of each column (`size` is width by 1) or row (1 by height)."""
    grey = _working_copy(image)
    width, height = grey.size
    across = ImageChops.difference(grey, grey.crop((1, 0, width + 1, height)))
    across.paste(0, (width - 1, 0, width, height))
    down = ImageChops.difference(grey, grey.crop((0, 1, width, height + 1)))
    down.paste(0, (0, height - 1, width, height))
    energy = ImageChops.add(across, down).convert("F")
    means = scale(energy, (1, height) if size[0] == 1 else (width, 1), "box")
    profile = scale(means, size, "bilinear")
    return [float(profile.getpixel((at % size[0], at // size[0]))) for at in range(max(size))]  # pyright: ignore


def _working_copy(image: Image) -> Image:
    """Return a small copy of the brightness, in which clear pixels have no edges among them."""
    width, height = image.size
    shrink = max(1, max(width, height) // _WORKING_SIDE)
    return brightness(image.reduce(shrink) if shrink > 1 else image)


def _best_window(weights: list[float], length: int) -> int:
    """Return the start of the window of `length` with the greatest sum."""
    sums = [0.0, *accumulate(weights)]
    starts = range(len(weights) - length + 1)
    middle = (len(weights) - length) / 2
    return max(starts, key=lambda at: (round(sums[at + length] - sums[at], 3), -abs(at - middle), -at))
