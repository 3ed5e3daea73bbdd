"""Frames are shown as long as browsers show them, and formats hold their durations as well as they can."""

from itertools import accumulate, product

import numpy as np
import pytest
from PIL import Image

from libs.imaging.describe import describe
from libs.imaging.formats import WrittenName
from libs.imaging.frames.frame_timing import shown_ms, writable_ms
from libs.imaging.limits import Limits
from libs.imaging.operations import Convert
from tests.imaging.animation_files import ApngFrame, GifFrame, WebpFrame, apng, gif, webp
from tests.imaging.conftest import Run, Save, file_of

ANIMATED: list[WrittenName] = ["gif", "png", "webp", "avif"]


def _durations_ms(image: Image.Image) -> list[float]:
    durations: list[float] = []
    with Image.open(file_of(image)) as animation:
        for number in range(getattr(animation, "n_frames", 1)):
            animation.seek(number)
            animation.load()
            durations.append(animation.info["duration"])
    return durations


def _gif(delays_cs: list[int]) -> bytes:
    palette = bytes(range(128)) * 3
    frames = [
        GifFrame(np.full((4, 4), number, np.uint8), delay_cs=delay) for number, delay in enumerate(delays_cs)
    ]
    return gif((4, 4), frames, palette)


def _apng(delays: list[tuple[int, int]]) -> bytes:
    frames = [
        ApngFrame(np.full((4, 4, 3), number, np.uint8), delay=delay) for number, delay in enumerate(delays)
    ]
    return apng((4, 4), frames, 2)


def _webp(durations_ms: list[int]) -> bytes:
    frames = [
        WebpFrame(np.full((4, 4, 4), (number, 0, 0, 255), np.uint8), duration_ms=duration)
        for number, duration in enumerate(durations_ms)
    ]
    return webp((4, 4), frames)


SOURCES_WITHOUT_DELAY = {
    "gif": _gif([0, 0, 0]),
    "png": _apng([(0, 1), (0, 0), (0, 7)]),
    "webp": _webp([0] * 3),
}


@pytest.mark.parametrize("before", SOURCES_WITHOUT_DELAY)
@pytest.mark.parametrize("after", ANIMATED)
def test_a_delay_of_0_becomes_100_ms_in_every_format(
    before: str, after: WrittenName, save: Save, run: Run
) -> None:
    source = save(SOURCES_WITHOUT_DELAY[before], f"in.{before}")
    assert describe(source, Limits()).duration_ms == 300
    _, image = run(source, Convert(format=after, lossless=after in {"webp", "avif"}))
    assert _durations_ms(image) == [100, 100, 100]


def test_a_gif_that_says_10_ms_is_shown_for_100_as_in_browsers(save: Save, run: Run) -> None:
    _, image = run(save(_gif([1, 2, 3]), "in.gif"), Convert(format="webp", lossless=True))
    assert _durations_ms(image) == [100, 20, 30]


def test_frames_of_16_ms_become_frames_of_20_ms_in_a_gif(save: Save, run: Run) -> None:
    _, image = run(save(_webp([16] * 24), "in.webp"), Convert(format="gif"))
    assert _durations_ms(image) == [20] * 24


def test_roundings_are_carried_on_so_that_the_sum_stays_within_one_frame() -> None:
    random = np.random.default_rng(5)
    for name, case in product(ANIMATED, range(300)):
        least = 20 if name == "gif" else 1
        durations_ms = list(random.uniform(least, random.choice([25, 60, 400]), int(random.integers(1, 100))))
        written = writable_ms(name, durations_ms)
        unit = 10 if name == "gif" else 1
        assert all(duration % unit == 0 and duration >= least for duration in written), (name, case)
        for meant, got in zip(accumulate(durations_ms), accumulate(written), strict=True):
            assert abs(meant - got) <= unit / 2 + least, (name, case)
        assert abs(sum(durations_ms) - sum(written)) <= max(durations_ms)


def test_what_short_frames_take_is_given_back_by_long_ones() -> None:
    assert writable_ms("gif", [5, 5, 5, 200]) == [20, 20, 20, 160]
    assert writable_ms("gif", [33.3] * 6) == [30, 40, 30, 30, 40, 30]
    assert writable_ms("webp", [1000 / 30] * 6) == [33, 34, 33, 33, 34, 33]


def test_a_duration_above_the_longest_of_the_format_is_cut() -> None:
    assert writable_ms("gif", [10**6, 50]) == [655_350, 50]
    assert writable_ms("webp", [10**9, 50]) == [2**24 - 1, 50]


@pytest.mark.parametrize("after", ANIMATED)
def test_a_frame_of_minutes_is_written_in_every_format(after: WrittenName, save: Save, run: Run) -> None:
    source = save(_webp([70_001, 300_017, 50]), "in.webp")
    _, image = run(source, Convert(format=after, lossless=after in {"webp", "avif"}))
    assert np.abs(np.subtract(_durations_ms(image), [70_001, 300_017, 50])).max() <= 10


def test_the_roundings_of_an_avif_do_not_add_up(save: Save, run: Run) -> None:
    frames = [Image.new("RGB", (4, 4), (number, 0, 0)) for number in range(48)]
    data = save(frames[0], "ms.avif", save_all=True, append_images=frames[1:], duration=1).read_bytes()
    at = data.index(b"mdhd") + 4 + 4 + 16  # after version, flags and two dates of 64 bits
    assert data[at : at + 4] == (1000).to_bytes(4, "big")
    source = save(data[:at] + (24).to_bytes(4, "big") + data[at + 4 :], "in.avif")  # 1/24 s a frame
    for name in ("png", "avif"):
        _, image = run(source, Convert(format=name, lossless=name == "avif"))
        assert sum(_durations_ms(image)) == pytest.approx(2000, abs=2)


def test_delays_are_shown_as_stored_unless_browsers_replace_them() -> None:
    assert [shown_ms("gif", stored) for stored in (0, 10, 20, 70)] == [100, 100, 20, 70]
    assert [shown_ms("webp", stored) for stored in (0, 1, 10, 16)] == [100, 1, 10, 16]
