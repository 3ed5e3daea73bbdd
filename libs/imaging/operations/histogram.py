"""Making use of the whole range of values; the frames of an animation are taken together."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Annotated

from msgspec import Meta
from PIL.Image import Image

from libs.imaging.operations.colour_channels import apply_table, colours_of, merge, on_colours
from libs.imaging.operations.operation import Change, Operation, Surroundings


class Autocontrast(Operation, frozen=True, kw_only=True, tag="autocontrast"):
    """Stretch brightness so that the darkest becomes black and the lightest white.

    `cutoff` percent of the pixels at either end do not count. All channels are stretched alike, so colours
    keep their balance.
    """

    cutoff: Annotated[float, Meta(ge=0, lt=50)] = 0.0

    def apply(self, image: Image) -> Image:
        return self._change([image])(image)

    def prepare(self, frames: Sequence[Image], surroundings: Surroundings) -> Change:
        return self._change(frames)

    def _change(self, frames: Sequence[Image]) -> Change:
        counts = _summed(colours_of(frame).convert("L").histogram() for frame in frames)
        spared = sum(counts) * self.cutoff / 100
        low = _first_beyond(counts, spared)
        high = 255 - _first_beyond(counts[::-1], spared)
        if low >= high:
            return lambda image: image
        table = [(value - low) * 255 / (high - low) for value in range(256)]
        return lambda image: on_colours(image, lambda colours: apply_table(colours, table))


class Equalize(Operation, frozen=True, kw_only=True, tag="equalize"):
    """Spread each channel's values so that every part of the range is used alike."""

    def apply(self, image: Image) -> Image:
        return self._change([image])(image)

    def prepare(self, frames: Sequence[Image], surroundings: Surroundings) -> Change:
        return self._change(frames)

    def _change(self, frames: Sequence[Image]) -> Change:
        colours = [colours_of(frame) for frame in frames]
        bands = min(len(frame.getbands()) for frame in colours)
        if bands == 1:
            colours = [frame.convert("L") for frame in colours]
        tables = [
            _equal(_summed(frame.getchannel(band).histogram() for frame in colours)) for band in range(bands)
        ]

        def change(image: Image) -> Image:
            channels = image.split() if bands > 1 else (image.convert("L"),)
            return merge([apply_table(*pair) for pair in zip(channels, tables, strict=True)])

        return lambda image: on_colours(image, change)


def _summed(histograms: Iterable[list[int]]) -> list[int]:
    return [sum(counts) for counts in zip(*histograms, strict=True)]


def _first_beyond(counts: list[int], spared: float) -> int:
    """Give the first value with more than `spared` pixels up to and with it."""
    return next(value for value, total in enumerate(accumulate(counts)) if total > spared)


def _equal(counts: list[int]) -> list[float]:
    """Give the table that makes the cumulated histogram a straight line from the lowest value on."""
    totals = list(accumulate(counts))
    lowest = next(total for total in totals if total)
    spread = totals[-1] - lowest
    if not spread:
        return [float(value) for value in range(256)]
    return [(total - lowest) * 255 / spread for total in totals]
