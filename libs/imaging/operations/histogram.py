"""Spread the histogram over the full range of values; all frames of an animation share one histogram.

Clear pixels do not count, because nobody sees their colours.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Annotated

from msgspec import Meta
from PIL.Image import Image

from libs.imaging.operations.colour_channels import apply_table, colours_of, merge, on_colours
from libs.imaging.operations.operation import ImageFunction, LoadAsset, Operation, no_assets
from libs.imaging.transparency import visible_histogram


class Autocontrast(Operation, frozen=True, kw_only=True, tag="autocontrast"):
    """Stretch brightness so that the darkest pixel becomes black and the lightest white.

    `cutoff` percent of the pixels at each end are ignored. All channels are stretched by the same factor, so
    colours keep their balance. Clear pixels do not count.
    """

    cutoff: Annotated[float, Meta(ge=0, lt=50)] = 0.0
    """How many percent of the pixels at each end are ignored."""

    def apply(self, image: Image) -> Image:
        return self.prepare([image], no_assets)(image)

    def prepare(self, frames: Sequence[Image], load_asset: LoadAsset) -> ImageFunction:
        counts = _sum_histograms(visible_histogram(colours_of(frame).convert("L"), frame) for frame in frames)
        if not any(counts):
            return lambda image: image
        ignored = sum(counts) * self.cutoff / 100
        low = _first_beyond(counts, ignored)
        high = 255 - _first_beyond(counts[::-1], ignored)
        if low >= high:
            return lambda image: image
        table = [(value - low) * 255 / (high - low) for value in range(256)]
        return lambda image: on_colours(image, lambda colours: apply_table(colours, table))


class Equalize(Operation, frozen=True, kw_only=True, tag="equalize"):
    """Equalize the histogram of each channel, so that all parts of the range are used equally.

    Clear pixels do not count.
    """

    def apply(self, image: Image) -> Image:
        return self.prepare([image], no_assets)(image)

    def prepare(self, frames: Sequence[Image], load_asset: LoadAsset) -> ImageFunction:
        colours = [colours_of(frame) for frame in frames]
        bands = min(len(frame.getbands()) for frame in colours)
        if bands == 1:
            colours = [frame.convert("L") for frame in colours]
        histograms = [
            _sum_histograms(
                visible_histogram(frame.getchannel(band), image)
                for frame, image in zip(colours, frames, strict=True)
            )
            for band in range(bands)
        ]
        tables = [_equalizing_table(histogram) for histogram in histograms]

        def apply_tables(image: Image) -> Image:
            channels = image.split() if bands > 1 else (image.convert("L"),)
            return merge([apply_table(*pair) for pair in zip(channels, tables, strict=True)])

        return lambda image: on_colours(image, apply_tables)


def _sum_histograms(histograms: Iterable[list[int]]) -> list[int]:
    return [sum(counts) for counts in zip(*histograms, strict=True)]


def _first_beyond(counts: list[int], ignored: float) -> int:
    """Return the first value at which the cumulated count exceeds `ignored` pixels."""
    return next(value for value, total in enumerate(accumulate(counts)) if total > ignored)


def _equalizing_table(counts: list[int]) -> list[float]:
    """Return the table that makes the cumulated histogram a straight line from its lowest value on."""
    totals = list(accumulate(counts))
    lowest = next((total for total in totals if total), 0)
    spread = totals[-1] - lowest
    if not spread:
        return [float(value) for value in range(256)]
    return [(total - lowest) * 255 / spread for total in totals]
