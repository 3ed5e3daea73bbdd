"""Plans are made without decoding pixels."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from PIL import Image, ImageFile

from libs.imaging.errors import CropOutside, FrameMissing, ResultTooLarge
from libs.imaging.formats import FormatName
from libs.imaging.geometry import Box
from libs.imaging.limits import Limits
from libs.imaging.operations import (
    AnyOperation,
    Blur,
    Compress,
    Convert,
    Crop,
    Flip,
    Frames,
    Grayscale,
    Mirror,
    Resize,
    Rotate,
    Sepia,
    Trim,
)
from libs.imaging.pipeline import explain
from libs.imaging.plan import Facts, Plan, make_plan
from tests.imaging.conftest import Run, Save
from tests.imaging.float_reference import as_floats, psnr


def _facts(size: tuple[int, int], name: FormatName = "jpeg", **changes: Any) -> Facts:
    facts = Facts(format=name, size=size, frames=1, orientation=1, mode="RGB", srgb=True)
    return replace(facts, **changes)


def _plan(facts: Facts, *operations: AnyOperation) -> Plan:
    return make_plan(facts, operations, Limits())


LARGE, SMALL = (4000, 3000), (1600, 1200)


@pytest.mark.parametrize(
    ("size", "operations", "shrink"),
    [
        (LARGE, [Resize(width=800)], 4),
        (LARGE, [Resize(width=801)], 2),
        (LARGE, [Resize(width=400)], 8),
        (LARGE, [Resize(width=1333)], 2),
        (LARGE, [Resize(width=1334)], 1),
        (SMALL, [Resize(width=533)], 2),
        (SMALL, [Resize(width=534)], 1),
        (LARGE, [Resize(width=100, height=100, fit="cover")], 8),
        (LARGE, [Crop(x=0, y=0, width=1000, height=1000), Resize(width=200)], 4),
        (LARGE, [Resize(width=2000), Resize(width=400)], 8),
        (LARGE, [Resize(width=400), Crop(width=100, height=100)], 8),
        (LARGE, [Flip(), Rotate(angle=90), Grayscale(), Resize(height=400)], 8),
        (LARGE, [Resize(width=400, kernel="nearest")], 1),
        (LARGE, [Blur(), Resize(width=400)], 1),
        (LARGE, [Trim(), Resize(width=400)], 1),
        (LARGE, [], 1),
    ],
)
def test_a_jpeg_is_decoded_at_a_fraction_of_its_size(
    size: tuple[int, int], operations: list[AnyOperation], shrink: int
) -> None:
    assert _plan(_facts(size), *operations).shrink == shrink
    assert _plan(_facts(size, "png"), *operations).shrink == 1


def test_consecutive_crops_and_resizes_become_one() -> None:
    plan = _plan(
        _facts(LARGE, "png"),
        Crop(x=1000, y=500, width=2000, height=2000),
        Resize(width=1000),
        Crop(x=100, y=0, width=500, height=1000),
        Resize(width=250),
    )
    assert plan.scaling
    assert plan.scaling.box == Box(1200, 500, 2200, 2500)
    assert plan.scaling.edge == Box(1000, 500, 3000, 2500)
    assert (plan.scaling.size, plan.size, plan.steps) == ((250, 500), (250, 500), ())


def test_a_resize_that_enlarges_again_is_not_fused() -> None:
    plan = _plan(_facts(LARGE), Resize(width=10), Resize(width=1000, enlarge=True))
    assert plan.scaling
    assert plan.scaling.size == (10, 8)
    assert [step.after for step in plan.steps] == [(1000, 800)]


def test_nothing_is_fused_after_padding_or_another_kernel() -> None:
    contain = Resize(width=100, height=100, fit="contain")
    assert len(_plan(_facts(LARGE), contain, Resize(width=50)).steps) == 1
    assert len(_plan(_facts(LARGE), Resize(width=100), Resize(width=50, kernel="bicubic")).steps) == 1


def test_flips_and_quarter_turns_cost_nothing_before_a_resize() -> None:
    plan = _plan(_facts(LARGE, orientation=6), Mirror(), Rotate(angle=90), Resize(width=400))
    assert plan.steps == ()
    assert plan.orientation == 2
    assert plan.size == (400, 300)


@pytest.mark.parametrize(
    ("changes", "luma"),
    [({}, True), ({"mode": "CMYK"}, False), ({"srgb": False}, False), ({"mode": "L"}, False)],
)
def test_grayscale_is_left_to_the_jpeg_decoder_where_colours_allow(
    changes: dict[str, Any], luma: bool
) -> None:
    plan = _plan(_facts(LARGE, **changes), Grayscale(), Resize(width=400))
    assert (plan.luma, len(plan.steps)) == (luma, 0 if luma else 1)


@pytest.mark.parametrize(
    ("operations", "only_compresses"),
    [
        ([Compress()], True),
        ([Compress(never_larger=False)], False),
        ([Compress(), Flip()], False),
        ([Compress(), Convert(format="webp")], False),
        ([], False),
    ],
)
def test_only_a_pipeline_that_only_compresses_may_keep_the_source(
    operations: list[AnyOperation], only_compresses: bool
) -> None:
    assert _plan(_facts(LARGE), *operations).only_compresses == only_compresses


def test_frames_are_chosen_before_decoding() -> None:
    gif = _facts((40, 30), "gif", frames=9)
    assert (_plan(gif).first_frame, _plan(gif).frames) == (0, 9)
    assert (_plan(gif, Frames(frame=4)).first_frame, _plan(gif, Frames(frame=4)).frames) == (4, 1)
    assert _plan(gif, Frames(max_frames=3)).frames == 3
    assert _plan(gif, Convert(format="jpeg")).frames == 1
    with pytest.raises(FrameMissing):
        _plan(gif, Frames(frame=9))


def test_a_pipeline_that_cannot_work_is_refused_without_pixels() -> None:
    with pytest.raises(CropOutside):
        _plan(_facts(LARGE), Resize(width=100), Crop(width=200, height=50))
    with pytest.raises(ResultTooLarge):
        _plan(_facts(LARGE), Resize(width=16_384, enlarge=True))
    with pytest.raises(ResultTooLarge):
        _plan(_facts((40, 30), "gif", frames=9), Resize(width=16_384, height=400, fit="fill", enlarge=True))


def test_a_plan_prints_as_text(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", refuse)
    operations = [Resize(width=100), Trim(), Sepia(), Convert(format="webp", quality=70)]
    assert explain(photos / "rocket.jpg", operations, Limits()).lines() == [
        "source   jpeg 640x427 RGB, 1 frame(s), embedded colour profile",
        "decode   frame 0 at 1/4: 160x107",
        "resample (0, 0, 640, 427) of the upright image to 100x67",
        "colours  to sRGB, after shrinking",
        "step     trim: 100x67 -> at most 100x67",
        "step     sepia: 100x67 -> at most 100x67",
        "write    webp, quality 70: at most 100x67, metadata strip",
    ]


PIPELINES: list[list[AnyOperation]] = [
    [Crop(x=101, y=53, width=333, height=211), Resize(width=97)],
    [Resize(width=300), Crop(x=31, y=17, width=200, height=100), Resize(width=71)],
    [Flip(), Rotate(angle=90), Resize(width=83), Mirror()],
    [Rotate(angle=270), Crop(x=20, y=30, width=200, height=300), Flip(), Resize(height=99)],
    [Resize(width=90, height=90, fit="cover", gravity="top-left"), Mirror(), Grayscale()],
    [Grayscale(), Resize(width=90, height=90, fit="contain", background="red")],
]


@pytest.mark.parametrize(
    "operations", PIPELINES, ids=lambda steps: "-".join(type(step).__name__ for step in steps)
)
@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("extension", ["jpg", "png"])
def test_a_planned_pipeline_equals_its_steps_run_one_by_one(
    operations: list[AnyOperation], orientation: int, extension: str, photos: Path, save: Save, run: Run
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = {5, 6, 7, 8}
    with Image.open(photos / "astronaut.png") as image:
        stored = image.resize((420, 640) if orientation in turned else (640, 420))
    source = save(stored, f"in.{extension}", exif=exif, **({"quality": 95} if extension == "jpg" else {}))
    _, planned = run(source, *operations, Convert(format="png"))
    before = run(source, Convert(format="png"))[1]
    for operation in operations:
        before = operation.apply(before)
    assert planned.size == before.size
    assert psnr(planned.convert("RGB"), as_floats(before.convert("RGB"))) >= (
        32 if extension == "jpg" else 35
    )
