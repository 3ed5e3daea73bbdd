"""Search for the best quality whose file is within a size."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from libs.imaging.errors import TargetUnreachable

MAX_ENCODES = 5
GOOD_ENOUGH = 0.95
"""The search ends when the file has at least this fraction of the allowed bytes."""

_STEP = 0.03
"""First estimate of how much the logarithm of the size changes with one step of quality."""

_PALETTE_STEP = 0.35
"""The same for one step of the logarithm of the number of colours."""


class _Try(NamedTuple):
    quality: int
    size_bytes: int


def search_quality(
    save: Callable[[Path, int], None], target: Path, ceiling: int, max_bytes: int, *, palette: bool = False
) -> None:
    """Write the best file of at most `max_bytes` to `target`.

    Each quality is interpolated between the two nearest tries. After `MAX_ENCODES` encodes the search ends;
    the last one uses the lowest quality if nothing fitted before. `save` writes a file of a given quality.
    With `palette` a quality stands for a number of colours, and the size follows its logarithm.

    Raises:
        TargetUnreachable: No file fits.
    """
    trial = target.with_name(target.name + ".trial")
    fitting: _Try | None = None
    too_large: list[_Try] = []
    quality: int | None = ceiling
    try:
        for remaining in reversed(range(MAX_ENCODES)):
            if remaining == 0 and fitting is None:
                quality = 1
            if quality is None:
                break
            save(trial, quality)
            tried = _Try(quality, trial.stat().st_size)
            if tried.size_bytes <= max_bytes:
                trial.replace(target)
                fitting = tried
            else:
                too_large.append(tried)
            quality = _next_quality(fitting, too_large, max_bytes, palette)
    finally:
        trial.unlink(missing_ok=True)
    if fitting is None:
        raise TargetUnreachable(max_bytes, min(tried.size_bytes for tried in too_large))


def _next_quality(fitting: _Try | None, too_large: list[_Try], max_bytes: int, palette: bool) -> int | None:
    """Return the quality to try next; None if no try can be better."""
    if not too_large or (fitting and fitting.size_bytes >= GOOD_ENOUGH * max_bytes):
        return None
    nearest = too_large[-1] if fitting is None else min(too_large)
    floor = fitting.quality + 1 if fitting else 1
    if nearest.quality <= floor and (fitting or nearest.quality == 1):
        return None
    axis = math.log if palette else float
    step = _PALETTE_STEP if palette else _STEP
    other = fitting or (too_large[-2] if len(too_large) > 1 else None)
    if other and other.size_bytes != nearest.size_bytes:
        rise = math.log(nearest.size_bytes / other.size_bytes) / (axis(nearest.quality) - axis(other.quality))
        step = max(rise, step / 10)
    estimate = axis(nearest.quality) - math.log(nearest.size_bytes / max_bytes) / step
    estimate = math.exp(min(estimate, 5)) if palette else estimate
    return max(floor, min(nearest.quality - 1, math.floor(estimate)))
