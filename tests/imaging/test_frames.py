"""Frames of animations and pages of TIFFs are chosen."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from libs.imaging.errors import FrameMissing
from libs.imaging.operations import Convert, Flip, Frames
from tests.imaging.conftest import Run, Save


@pytest.fixture
def animation(save: Save) -> Path:
    frames = [Image.new("RGB", (20, 20), (level, 0, 0)) for level in (50, 100, 150, 200, 250)]
    return save(frames[0], "in.gif", save_all=True, append_images=frames[1:], duration=100, loop=0)


def test_frames_keeps_one_frame_or_the_first_ones(animation: Path, run: Run) -> None:
    facts, image = run(animation, Frames(frame=3))
    assert facts.frames == 1
    assert np.abs(np.asarray(image.convert("RGB"))[0, 0, 0] - 200) <= 4
    assert run(animation, Frames(max_frames=2))[0].frames == 2
    assert run(animation, Frames(max_frames=99), Flip())[0].frames == 5
    _, jpeg = run(animation, Frames(frame=2), Convert(format="jpeg"))
    assert abs(int(np.asarray(jpeg)[0, 0, 0]) - 150) <= 6
    with pytest.raises(FrameMissing):
        run(animation, Frames(frame=5))


def test_a_page_of_a_tiff_keeps_its_own_size(save: Save, run: Run) -> None:
    pages = [Image.new("RGB", (10 + 10 * page, 30), "teal") for page in range(3)]
    source = save(pages[0], "in.tiff", save_all=True, append_images=pages[1:])
    facts, image = run(source, Frames(frame=2), Flip())
    assert (facts.frames, image.size) == (1, (30, 30))


def test_an_apng_with_a_separate_still_image_keeps_all_frames(save: Save, run: Run) -> None:
    frames = [Image.new("RGB", (20, 20), (level, 0, 0)) for level in (50, 100, 150)]
    still = Image.new("RGB", (20, 20), "blue")
    source = save(still, "in.png", save_all=True, append_images=frames, duration=100, default_image=True)
    facts, image = run(source, Convert(format="webp", lossless=True))
    assert facts.frames == 3
    assert image.convert("RGB").getpixel((3, 3)) == (50, 0, 0)
