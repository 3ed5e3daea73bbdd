"""Files of several pictures: AVIF sequences are animations, and of an MPO the first picture counts."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from libs.imaging.describe import describe
from libs.imaging.errors import FrameMissing
from libs.imaging.header import read_header
from libs.imaging.limits import Limits
from libs.imaging.operations import Compress, Convert, Frames, Resize
from libs.imaging.pipeline import first_frame, render
from tests.imaging.conftest import Run, Save

COLOURS = ["red", "lime", "blue", "white"]


def _sequence(*, still: bool) -> bytes:
    """Return an AVIF sequence, with or without a still picture beside its track."""
    buffer = BytesIO()
    frames = [Image.new("RGB", (48, 32), colour) for colour in COLOURS]
    frames[0].save(buffer, "AVIF", save_all=True, append_images=frames[1:], duration=[40, 80, 120, 160])
    data = buffer.getvalue()
    if still:
        return data
    brands = b"avis" + bytes(4) + b"avismsf1".ljust(28, b"\0")
    return data[:8] + brands + data[44:].replace(b"meta", b"free", 1)


@pytest.mark.parametrize("still", [True, False])
@pytest.mark.parametrize("name", ["avif", "webp", "png", "gif"])
def test_an_avif_sequence_is_an_animation(still: bool, name: str, save: Save, tmp_path: Path) -> None:
    source, target = save(_sequence(still=still), "in.avif"), tmp_path / "out"
    header = read_header(source, Limits())
    assert (header.width, header.height, header.frames) == (48, 32, 4)
    assert describe(source, Limits()).duration_ms == 400
    rendered = render(source, target, [Resize(width=24), Convert(format=name)], Limits())  # type: ignore[arg-type]
    assert (rendered.format, rendered.frames, rendered.width) == (name, 4, 24)
    assert describe(target, Limits()).duration_ms == 400


def test_one_frame_of_an_avif_sequence_is_a_still_picture(save: Save, run: Run) -> None:
    source = save(_sequence(still=False), "in.avif")
    for number, colour in enumerate(COLOURS):
        facts, image = run(source, Frames(frame=number), Convert(format="png"))
        assert facts.frames == 1
        expected = np.asarray(Image.new("RGB", (48, 32), colour)).astype(int)
        assert np.abs(np.asarray(image.convert("RGB")) - expected).max() <= 6
    with pytest.raises(FrameMissing):
        run(source, Frames(frame=4))


def _mpo(photos: Path) -> bytes:
    """Return a photo with a second picture behind it, as cameras store depth, gain maps and stereo pairs."""
    with Image.open(photos / "rocket.jpg") as image:
        first = image.resize((80, 54))
    buffer = BytesIO()
    first.save(buffer, "MPO", save_all=True, append_images=[Image.new("RGB", (200, 150), "red")], quality=90)
    return buffer.getvalue()


def test_of_an_mpo_the_first_picture_is_used(photos: Path, save: Save, run: Run) -> None:
    data = _mpo(photos)
    source = save(data, "in.mpo")
    second = data.rindex(b"\xff\xd8\xff")
    alone = save(data[:second], "alone.jpg")
    header = read_header(source, Limits())
    assert (header.format, header.width, header.height, header.frames) == ("jpeg", 80, 54, 1)
    shown = first_frame(source, Limits())
    assert np.array_equal(np.asarray(shown), np.asarray(first_frame(alone, Limits())))
    facts, image = run(source)
    assert (facts.format, image.format, image.size) == ("jpeg", "JPEG", (80, 54))
    assert getattr(image, "n_frames", 1) == 1
    assert describe(source, Limits()).phash == describe(alone, Limits()).phash
    with pytest.raises(FrameMissing):
        run(source, Frames(frame=1))
    kept, image = run(source, Compress(quality=100))
    assert (kept.frames, getattr(image, "n_frames", 1)) == (1, 1)
    assert b"MPF\0" not in (source.parent / "result").read_bytes()


@pytest.mark.parametrize("cut", [1, 40, 600])
def test_an_mpo_that_is_cut_in_its_second_picture_is_complete(
    cut: int, photos: Path, save: Save, run: Run
) -> None:
    data = _mpo(photos)
    assert len(data) - data.rindex(b"\xff\xd8\xff") > cut
    facts, _ = run(save(data[:-cut], "in.mpo"))
    assert (facts.width, facts.height) == (80, 54)
