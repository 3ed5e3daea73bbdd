"""A focal point that moves with the picture: a mark is painted there, and looked for in the result."""

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from libs.imaging.focal_point import with_focus
from libs.imaging.geometry import Focus
from libs.imaging.operations import AnyOperation, Crop, Flip, Mirror, Pad, Resize, Rotate
from tests.imaging.conftest import Run, Save

SIZE = (600, 400)
MARK = 7  # pixels of its side
SEEN = 61  # pixels of the side of the part that is kept around it


def marked(at: tuple[int, int]) -> Image.Image:
    """A black picture with a white square whose middle is at a pixel."""
    image = Image.new("RGB", SIZE)
    half = MARK // 2
    image.paste("white", (at[0] - half, at[1] - half, at[0] + half + 1, at[1] + half + 1))
    return image


def middle_of_mark(image: Image.Image) -> tuple[float, float]:
    """The centre of all that is bright, in pixels."""
    bright = np.asarray(image.convert("L")).astype(float)
    bright[bright < 40] = 0
    rows, columns = np.indices(bright.shape)
    total = bright.sum()
    assert total > 0, "the mark is not in the picture"
    return float((columns + 0.5).ravel() @ bright.ravel() / total), float(
        (rows + 0.5).ravel() @ bright.ravel() / total
    )


@pytest.mark.parametrize(
    "before",
    [
        (),
        (Mirror(),),
        (Flip(), Mirror()),
        (Rotate(angle=90),),
        (Rotate(angle=30),),
        (Rotate(angle=-45, expand=False),),
        (Crop(x=100, y=50, width=400, height=300),),
        (Crop(aspect="1:1", gravity="left"), Rotate(angle=270)),
        (Resize(width=500),),
        (Resize(width=300, height=300, fit="cover", gravity="top-left"),),
        (Resize(width=500, height=700, fit="contain"),),
        (Resize(width=400, height=400, fit="fill"), Mirror()),
        (Pad(left=120, top=30), Flip()),
        (Resize(width=400, height=300, fit="cover", gravity="focus"), Rotate(angle=180)),
    ],
    ids=lambda steps: "-".join(type(step).__name__ for step in steps) or "first",
)
def test_a_crop_around_the_focal_point_shows_it_in_the_middle_whatever_came_before(
    before: Sequence[AnyOperation], save: Save, run: Run
) -> None:
    for at in ((183, 260), (300, 200), (330, 137)):
        focus = Focus((at[0] + 0.5) / SIZE[0], (at[1] + 0.5) / SIZE[1])
        steps = with_focus([*before, Crop(width=SEEN, height=SEEN, gravity="focus")], focus, SIZE)
        _, image = run(save(marked(at), "marked.png"), *steps)
        assert image.size == (SEEN, SEEN)
        assert middle_of_mark(image) == pytest.approx((SEEN / 2, SEEN / 2), abs=1.0)


def test_a_focal_point_near_the_edge_stays_in_view_and_one_that_was_cut_off_is_the_nearest_edge(
    save: Save, run: Run
) -> None:
    corner = Focus(0.02, 0.99)
    source = save(marked((12, 395)), "corner.png")
    _, image = run(source, *with_focus([Crop(width=200, height=100, gravity="focus")], corner, SIZE))
    assert middle_of_mark(image) == pytest.approx((12.5, 95.5), abs=0.6)
    steps = [Crop(x=300, y=0, width=300, height=400), Crop(width=100, height=100, gravity="focus")]
    placed = with_focus(steps, corner, SIZE)
    assert placed[1] == Crop(width=100, height=100, gravity=Focus(0.0, 0.99))


def test_without_a_focal_point_it_is_the_centre_and_other_operations_are_left_alone() -> None:
    cover = Resize(width=100, height=100, fit="cover", gravity="focus")
    assert with_focus([Flip(), cover], None, SIZE) == (
        Flip(),
        Resize(width=100, height=100, fit="cover", gravity="center"),
    )
    assert cover.plan(SIZE) == Resize(width=100, height=100, fit="cover").plan(SIZE)
    crop = Crop(aspect="1:1", gravity="focus")
    assert crop.box(SIZE) == Crop(aspect="1:1", gravity="center").box(SIZE) == (100, 0, 500, 400)
    other = (Crop(width=900, height=900), Resize(width=10, gravity="left"))
    assert with_focus(other, Focus(0.1, 0.1), SIZE) == other
