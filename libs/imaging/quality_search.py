"""Finding the best quality whose file is small enough."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from libs.imaging.errors import TargetUnreachable

MOST_ENCODES = 5
NEAR_ENOUGH = 0.95
"""A file of this share of the bytes that are allowed is not improved upon."""

_STEP = 0.03
"""How much the logarithm of the size changes with one step of quality, before anything is known."""

_PALETTE_STEP = 0.35
"""The same with one step of the logarithm of the number of colours."""


class _Try(NamedTuple):
    quality: int
    size_bytes: int


def search(
    save: Callable[[Path, int], None], target: Path, ceiling: int, max_bytes: int, *, palette: bool = False
) -> int:
    """Leave at `target` the best file of at most `max_bytes`; give its quality.

    The quality is interpolated between the nearest tries, with at most five encodes; the last one is the
    lowest quality, unless another has fitted before. With a `palette` the quality is a number of colours.

    Raises:
        TargetUnreachable: None of them fits.
    """
    trial = target.with_name(target.name + ".trial")
    fits: _Try | None = None
    over: list[_Try] = []
    quality: int | None = ceiling
    try:
        for left in reversed(range(MOST_ENCODES)):
            if left == 0 and fits is None:
                quality = 1
            if quality is None:
                break
            save(trial, quality)
            tried = _Try(quality, trial.stat().st_size)
            if tried.size_bytes <= max_bytes:
                trial.replace(target)
                fits = tried
            else:
                over.append(tried)
            quality = _next(fits, over, max_bytes, palette)
    finally:
        trial.unlink(missing_ok=True)
    if fits is None:
        raise TargetUnreachable(max_bytes, min(tried.size_bytes for tried in over))
    return fits.quality


def _next(fits: _Try | None, over: list[_Try], max_bytes: int, palette: bool) -> int | None:
    """Give the quality to try next; None when nothing better can come of it."""
    if not over or (fits and fits.size_bytes >= NEAR_ENOUGH * max_bytes):
        return None
    lowest = over[-1] if fits is None else min(over)
    floor = fits.quality + 1 if fits else 1
    if lowest.quality <= floor and (fits or lowest.quality == 1):
        return None
    at = math.log if palette else float
    step = _PALETTE_STEP if palette else _STEP
    other = fits or (over[-2] if len(over) > 1 else None)
    if other and other.size_bytes != lowest.size_bytes:
        rise = math.log(lowest.size_bytes / other.size_bytes) / (at(lowest.quality) - at(other.quality))
        step = max(rise, step / 10)
    wanted = at(lowest.quality) - math.log(lowest.size_bytes / max_bytes) / step
    wanted = math.exp(min(wanted, 5)) if palette else wanted
    return max(floor, min(lowest.quality - 1, math.floor(wanted)))
