"""Finding the part of an image that has the most to show, by the energy of its edges."""

from collections.abc import Iterable, Sequence
from itertools import accumulate

from PIL import ImageChops
from PIL.Image import Image, Resampling

from libs.imaging.geometry import Size

_LONGEST_SIDE = 256
"""Edges are looked for at this size: finer ones are noise."""


def most_detailed(frames: Sequence[Image], inner: Size) -> Size:
    """Give the left and top of the box of size `inner` that holds the most edges.

    Columns and rows are weighed one after the other. Of several places as good, the one nearest to the
    centre is taken, so the same pixels always give the same place.
    """
    width, height = frames[0].size
    columns, rows = [0.0] * width, [0.0] * height
    if inner[0] < width:
        columns = _sum(_energies(frame, (width, 1)) for frame in frames)
    left = _heaviest(columns, inner[0])
    if inner[1] < height:
        strips = (frame.crop((left, 0, left + inner[0], height)) for frame in frames)
        rows = _sum(_energies(strip, (1, height)) for strip in strips)
    return left, _heaviest(rows, inner[1])


def _sum(profiles: Iterable[list[float]]) -> list[float]:
    return [sum(values) for values in zip(*profiles, strict=True)]


def _energies(image: Image, along: Size) -> list[float]:
    """Give the mean energy of edges in each column or row."""
    grey = _small(image)
    width, height = grey.size
    across = ImageChops.difference(grey, grey.crop((1, 0, width + 1, height)))
    across.paste(0, (width - 1, 0, width, height))
    down = ImageChops.difference(grey, grey.crop((0, 1, width, height + 1)))
    down.paste(0, (0, height - 1, width, height))
    energy = ImageChops.add(across, down).convert("F")
    summed = energy.resize((1, height) if along[0] == 1 else (width, 1), Resampling.BOX)
    stretched = summed.resize(along, Resampling.BILINEAR)
    return [float(stretched.getpixel((at % along[0], at // along[0]))) for at in range(max(along))]  # pyright: ignore


def _small(image: Image) -> Image:
    """Give what is visible, in grey; clear parts have no edges."""
    width, height = image.size
    shrink = max(1, max(width, height) // _LONGEST_SIDE)
    small = image.reduce(shrink) if shrink > 1 else image
    if small.mode in {"LA", "RGBA"}:
        visible = small.convert("RGBA")
        small = visible.convert("RGB")
        small.paste((0, 0, 0), (0, 0), ImageChops.invert(visible.getchannel("A")))
    return small.convert("L")


def _heaviest(weights: list[float], length: int) -> int:
    """Give the start of the window with the greatest sum."""
    sums = [0.0, *accumulate(weights)]
    starts = range(len(weights) - length + 1)
    middle = (len(weights) - length) / 2
    return max(starts, key=lambda at: (round(sums[at + length] - sums[at], 3), -abs(at - middle), -at))
