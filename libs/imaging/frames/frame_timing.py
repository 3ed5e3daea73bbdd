"""How long the frames of an animation are shown: as browsers read it, and as formats can hold it."""

from collections.abc import Iterator, Sequence

from libs.imaging.formats import FormatName

UNSPECIFIED_MS = 100.0
"""How long browsers show a frame whose delay is 0 (Firefox: `image/FrameTimeout.h`)."""

_LONGEST_IGNORED_GIF_MS = 10.0
"""Browsers replace a GIF's delays of 0 and 1/100 s."""

_APNG_MAX = 65_535  # of the numerator of a delay
_APNG_UNITS_MS = (1, 10, 100, 1000)
_SHORTEST_MS: dict[FormatName, int] = {"gif": 20}  # a shorter one becomes 100 ms in browsers
_LONGEST_MS: dict[FormatName, int] = {"gif": 65_535 * 10, "webp": 2**24 - 1, "png": _APNG_MAX * 1000}


def shown_ms(name: FormatName, stored_ms: float) -> float:
    """Return how long a frame is shown whose file says `stored_ms`."""
    ignored = stored_ms <= _LONGEST_IGNORED_GIF_MS if name == "gif" else stored_ms <= 0
    return UNSPECIFIED_MS if ignored else stored_ms


def writable_ms(name: FormatName, durations_ms: Sequence[float]) -> list[int]:
    """Round durations to what the format can hold.

    What rounding adds or takes is made up for by the following frames, so that every frame begins as close to
    its time as the shortest duration of the format allows. A duration above the longest one is cut.
    """
    return list(_rounded(name, durations_ms))


def _rounded(name: FormatName, durations_ms: Sequence[float]) -> Iterator[int]:
    shortest_ms = _SHORTEST_MS.get(name, 1)
    longest_ms = _LONGEST_MS.get(name, 2**31 - 1)
    owed_ms = 0.0
    for duration_ms in durations_ms:
        owed_ms += duration_ms
        unit_ms = _unit_ms(name, owed_ms)
        rounded_ms = max(shortest_ms, round(owed_ms / unit_ms) * unit_ms)
        if rounded_ms > longest_ms:
            yield longest_ms
            owed_ms = 0.0
            continue
        yield rounded_ms
        owed_ms -= rounded_ms


def _unit_ms(name: FormatName, duration_ms: float) -> int:
    if name == "gif":
        return 10
    if name == "png":
        return next((unit for unit in _APNG_UNITS_MS if duration_ms <= _APNG_MAX * unit), 1000)
    return 1
