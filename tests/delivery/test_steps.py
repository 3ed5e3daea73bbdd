"""The steps of addresses: what they mean, and how they are written back."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.delivery.errors import StepsInvalid
from libs.delivery.step_names import CROP_MODES, GRAVITIES, SHORT_STEP
from libs.delivery.steps import Preset, Steps, format_steps, is_preset_name, parse_steps
from libs.imaging.geometry import Focus
from libs.imaging.operations import (
    AnyOperation,
    Blur,
    Compress,
    Convert,
    Crop,
    Flip,
    Grayscale,
    Pad,
    Pixelate,
    Point,
    Region,
    Resize,
    Rotate,
    RoundCorners,
    Tint,
    Watermark,
)


@pytest.mark.parametrize(
    ("text", "operations"),
    [
        ("w_600", [Resize(width=600)]),
        ("w_600,h_400,fit_cover,g_smart", [Resize(width=600, height=400, fit="cover", gravity="smart")]),
        ("w_600:grayscale:q_80", [Resize(width=600), Grayscale(), Convert(format="auto", quality=80)]),
        ("q_80,a_90,w_9", [Resize(width=9), Rotate(angle=90), Convert(format="auto", quality=80)]),
        ("f_webp,q_70", [Convert(format="webp", quality=70)]),
        ("resize,width_10,height_20", [Resize(width=10, height=20)]),
        ("resize,w_10,enlarge", [Resize(width=10, enlarge=True)]),
        ("blur,sigma_.5", [Blur(sigma=0.5)]),
        ("crop,aspect_16x9,g_0.3x.5", [Crop(aspect="16:9", gravity=Focus(x=0.3, y=0.5))]),
        ("pad,top_5,b_ff0000", [Pad(top=5, color="#ff0000")]),
        ("tint,color_navy", [Tint(color="navy")]),
        ("compress,max_bytes_5000", [Compress(max_bytes=5000)]),
        ("convert,format_jpeg,subsampling_420", [Convert(format="jpeg", subsampling="4:2:0")]),
        ("convert,format_auto,accept_webp+jpeg", [Convert(format="auto", accept=("webp", "jpeg"))]),
        (
            "pixelate,box.x_1,box.width_5,box.height_6",
            [Pixelate(box=Region(x=1, width=5, height=6))],
        ),
        (
            "watermark,text_a%2Cb%3A%20%231,position_10x-5",
            [Watermark(text="a,b: #1", position=Point(x=10, y=-5))],
        ),
        ("watermark,text_.5", [Watermark(text=".5")]),
        ("watermark,text_snake_case", [Watermark(text="snake_case")]),
    ],
)
def test_steps_are_operations(text: str, operations: list[AnyOperation]) -> None:
    assert parse_steps(text) == Steps(steps=tuple(operations))


def test_a_lone_name_is_a_preset_and_can_stand_among_operations() -> None:
    assert parse_steps("card").only_preset == "card"
    steps = parse_steps("card:grayscale:exp_1767225600")
    assert steps == Steps(steps=(Preset("card"), Grayscale()), expires_at=1767225600)
    assert steps.only_preset is None
    assert steps.resolved({"card": (Resize(width=5),)}) == (Resize(width=5), Grayscale())


def test_the_expiry_is_no_operation() -> None:
    assert parse_steps("w_9:exp_5").steps == parse_steps("w_9").steps


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no operation ''"),
        ("w_0", "width must be at least 1"),
        ("wdth_600", "no step 'wdth'"),
        ("blur,sgma_2", "has no field 'sgma'; did you mean 'sigma'"),
        ("greyscale,x_1", "did you mean 'grayscale'"),
        ("c_fil,w_9", "no crop mode 'fil'; did you mean 'fill'"),
        ("resize", "needs a width, a height or a scale"),
        ("resize,width_9,width.x_9", "width"),
        ("w_9::grayscale", "no operation ''"),
        ("w_" + "9" * 2000, "the limit is 2000"),
    ],
)
def test_wrong_steps_are_refused_with_the_place_and_the_nearest_name(text: str, says: str) -> None:
    with pytest.raises(StepsInvalid, match=says):
        parse_steps(text)


def test_the_words_of_cloudinary_mean_what_they_mean_there() -> None:
    for mode, fields in CROP_MODES.items():
        assert parse_steps(f"c_{mode},w_9,h_9").steps == (Resize(width=9, height=9, **fields),)
    for gravity, ours in GRAVITIES.items():
        expected: Any = ours
        assert parse_steps(f"w_9,h_9,g_{gravity}").steps == (Resize(width=9, height=9, gravity=expected),)


def test_each_short_name_sets_a_field_that_its_operation_has() -> None:
    kinds = {str(kind.__struct_config__.tag): kind for kind in get_args(AnyOperation)}
    assert all(field in kinds[name].__struct_fields__ for name, field in SHORT_STEP.values())


def test_a_preset_cannot_have_the_name_of_an_operation_or_one_that_needs_encoding() -> None:
    assert is_preset_name("card-2")
    assert not any(map(is_preset_name, ("blur", "round_corners", "a_b", "Card", "", "a:b", "a/b", "é")))


_points = st.builds(Point, x=st.integers(-99, 99), y=st.integers(-99, 99))
_texts = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=50).filter(str.strip)
_focus = st.builds(Focus, x=st.floats(0, 1), y=st.floats(0, 1))
_regions = st.builds(Region, width=st.integers(1, 99), height=st.integers(1, 99))
_operations = st.one_of(
    st.builds(Resize, width=st.integers(1, 16384), height=st.none() | st.integers(1, 16384)),
    st.builds(Resize, scale=st.floats(0.01, 100), gravity=_focus),
    st.builds(Blur, sigma=st.floats(0.001, 250)),
    st.builds(Rotate, angle=st.floats(-3600, 3600), background=st.none() | st.sampled_from(["#abc", "red"])),
    st.builds(Watermark, text=_texts, position=_points | st.just("tile"), opacity=st.floats(0, 1)),
    st.builds(Pixelate, box=st.none() | _regions),
    st.builds(Convert, format=st.sampled_from(["jpg", "webp"]), subsampling=st.none() | st.just("4:2:2")),
    st.builds(RoundCorners, radius=st.integers(1, 99)),
    st.builds(Flip),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_operations, min_size=1, max_size=5))
def test_operations_written_as_steps_are_the_same_operations_when_read(
    operations: list[AnyOperation],
) -> None:
    written = format_steps(operations)
    if len(written) <= 2000:
        assert parse_steps(written).steps == tuple(operations)
    assert not set(written) & set('/?#"<> ')


@settings(max_examples=500, deadline=None)
@given(st.text("abwhqcfgt_,:.%x0129-+é/ ", max_size=60))
def test_any_text_is_steps_or_is_refused(text: str) -> None:
    try:
        steps = parse_steps(text)
    except StepsInvalid:
        return
    assert msgspec.json.encode(steps.steps)
