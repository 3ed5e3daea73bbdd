"""A file is accepted if all its pixels are there, and truncated if some are missing."""

import numpy as np
import pytest

from libs.imaging.errors import SourceFault
from tests.imaging.animation_files import GifFrame, gif
from tests.imaging.conftest import Run, Save

PALETTE = bytes(range(128)) * 3


def test_a_gif_without_its_trailer_is_accepted(save: Save, run: Run) -> None:
    frames = [GifFrame(np.full((4, 5), number, np.uint8)) for number in range(3)]
    facts, _ = run(save(gif((5, 4), frames, PALETTE, end=b""), "in.gif"))
    assert facts.frames == 3


def test_a_gif_is_truncated_where_a_frame_that_was_begun_lacks_pixels(save: Save, run: Run) -> None:
    random = np.random.default_rng(6)
    first, second = (GifFrame(random.integers(0, 128, (9, 9), np.uint8)) for _ in range(2))
    data, between = gif((9, 9), [first, second], PALETTE), len(gif((9, 9), [first], PALETTE, end=b""))
    last_pixel = len(data) - 3  # before the end code, the block's terminator and the trailer
    for length in range(between - 20, len(data)):
        source = save(data[:length], "cut.gif")
        if length >= last_pixel:
            assert run(source)[0].frames == 2, length
        elif length in {between, between - 1, between - 2}:  # nothing shows that there was a second frame
            assert run(source)[0].frames == 1, length
        else:
            with pytest.raises(SourceFault) as caught:
                run(source)
            assert caught.value.code == "image_truncated", length
