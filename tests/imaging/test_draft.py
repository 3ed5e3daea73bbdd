"""Drafts: about the same picture as the result, from a smaller image."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest
from PIL import Image

from libs.imaging.draft import LENGTHS, QUICK_SIDE, draft_of
from libs.imaging.limits import Limits
from libs.imaging.operations import (
    AnyOperation,
    Blur,
    Compress,
    Convert,
    Crop,
    Frames,
    Pad,
    Pixelate,
    Point,
    Region,
    Resize,
    RoundCorners,
    Sepia,
    Vignette,
    Watermark,
)
from libs.imaging.operations.operation import Coordinate, Pixels
from libs.imaging.pipeline import explain
from tests.imaging.conftest import Run, Save

SOURCE = (3000, 2000)


@pytest.fixture
def source(photos: Path, save: Save) -> Path:
    with Image.open(photos / "rocket.jpg") as image:
        return save(image.resize(SOURCE), "large.jpg", quality=90)


@pytest.mark.parametrize(
    "steps",
    [
        (Sepia(), Vignette(strength=0.9)),
        (Blur(sigma=40),),
        (Crop(x=1200, y=300, width=900, height=1500), Blur(sigma=12)),
        (Crop(x=2100, y=0, width=900, height=2000),),
        (Pixelate(size=90, box=Region(x=900, y=600, width=1200, height=800)),),
        (Pad(left=300, bottom=900, color="red"), RoundCorners(radius=400), Convert(format="png")),
        (Resize(width=800), Blur(sigma=5)),
        (Watermark(text="Proof", size=400, position=Point(x=600, y=700)), Convert(format="webp")),
        (Compress(max_bytes=150_000),),
    ],
    ids=lambda steps: "-".join(type(step).__name__ for step in steps),
)
def test_a_draft_is_small_and_looks_like_the_result(
    steps: Sequence[AnyOperation], source: Path, run: Run
) -> None:
    whole, result = run(source, *steps)
    rendered, draft = run(source, *draft_of(steps, explain(source, steps, Limits())))
    assert max(draft.size) <= QUICK_SIDE
    assert (rendered.format == "jpeg") == (whole.format == "jpeg")
    assert draft.width / draft.height == pytest.approx(result.width / result.height, rel=0.01)
    small = (150, 150)
    one, other = (np.asarray(image.convert("RGBA").resize(small), dtype=float) for image in (result, draft))
    assert np.abs(one - other).mean() < 4


def test_every_field_that_is_a_length_is_known_as_one() -> None:
    for kind in (*get_args(AnyOperation), Region, Point):
        hints = get_type_hints(kind, include_extras=True)
        lengths = {name for name, hint in hints.items() if {Pixels, Coordinate} & {hint, *get_args(hint)}}
        assert lengths <= set(LENGTHS.get(kind, ())) <= set(hints), kind.__name__


def test_a_draft_of_an_animation_is_its_first_picture_or_the_one_that_is_asked_for(
    save: Save, run: Run
) -> None:
    pictures = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue", "lime")]
    path = save(pictures[0], "three.gif", save_all=True, append_images=pictures[1:])
    for steps, colour in (((Sepia(),), None), ((Frames(frame=1),), (0, 0, 255))):
        rendered, draft = run(path, *draft_of(steps, explain(path, steps, Limits())))
        assert rendered.frames == 1
        if colour:
            assert np.abs(np.asarray(draft.convert("RGB"))[15, 20].astype(int) - np.array(colour)).max() < 12
