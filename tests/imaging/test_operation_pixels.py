"""Geometric operations, grayscale, sharpen and blur compared with independent arithmetic."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from libs.imaging.errors import CropOutside, ResultTooLarge
from libs.imaging.limits import Limits
from libs.imaging.operations import (
    Blur,
    Convert,
    Crop,
    Flip,
    Grayscale,
    Mirror,
    Resize,
    Rotate,
    Sharpen,
)
from tests.imaging.conftest import Run, Save
from tests.imaging.float_reference import Floats, as_floats, gaussian, psnr


@pytest.fixture
def coffee(photos: Path) -> Floats:
    with Image.open(photos / "coffee.png") as image:
        return np.asarray(image, dtype=np.float64)


def test_grayscale_uses_the_weights_of_bt_601(photos: Path, coffee: Floats, run: Run) -> None:
    _, image = run(photos / "coffee.png", Grayscale())
    assert image.mode == "L"
    assert np.abs(np.asarray(image) - coffee @ [0.299, 0.587, 0.114]).max() <= 1


def test_sharpen_adds_the_difference_to_a_blur(photos: Path, coffee: Floats, run: Run) -> None:
    _, image = run(photos / "coffee.png", Sharpen(radius=2, amount=0.5))
    expected = np.clip(coffee + 0.5 * (coffee - gaussian(coffee, 2)), 0, 255)
    assert psnr(image, expected) >= 38


def test_flip_mirror_and_quarter_turns_move_pixels_exactly(photos: Path, coffee: Floats, run: Run) -> None:
    source = photos / "coffee.png"
    for operation, expected in (
        (Flip(), coffee[::-1]),
        (Mirror(), coffee[:, ::-1]),
        (Rotate(angle=90), np.rot90(coffee, -1)),
        (Rotate(angle=-90), np.rot90(coffee)),
        (Rotate(angle=180), coffee[::-1, ::-1]),
        (Rotate(angle=720), coffee),
    ):
        _, image = run(source, operation)
        assert np.array_equal(np.asarray(image), expected), operation


def test_crop_keeps_exactly_its_box(photos: Path, coffee: Floats, run: Run) -> None:
    _, image = run(photos / "coffee.png", Crop(x=10, y=20, width=30, height=40))
    assert np.array_equal(np.asarray(image), coffee[20:60, 10:40])


@pytest.mark.parametrize("box", [(590, 0, 20, 20), (0, 390, 20, 20), (700, 700, 1, 1), (0, 0, 601, 400)])
def test_a_crop_partly_or_wholly_outside_is_refused(
    box: tuple[int, int, int, int], photos: Path, run: Run
) -> None:
    x, y, width, height = box
    with pytest.raises(CropOutside):
        run(photos / "coffee.png", Crop(x=x, y=y, width=width, height=height))


@pytest.mark.parametrize("angle", [1.0, 30.0, 45.0, 100.0, 211.5, 359.0])
@pytest.mark.parametrize("size", [(60, 40), (61, 41), (1, 99)])
def test_the_size_of_a_rotated_image_is_predicted(
    angle: float, size: tuple[int, int], save: Save, run: Run
) -> None:
    operation = Rotate(angle=angle)
    facts, _ = run(save(Image.new("RGB", size), "in.png"), operation)
    assert (facts.width, facts.height) == operation.result_size(size)


def test_corners_of_a_rotated_image_are_transparent_white_or_the_background(save: Save, run: Run) -> None:
    source = save(Image.new("RGB", (60, 40), "black"), "in.png")
    assert run(source, Rotate(angle=30))[1].getpixel((0, 0)) == (0, 0, 0, 0)
    assert run(source, Rotate(angle=30), Convert(format="bmp"))[1].getpixel((0, 0)) == (255, 255, 255)
    assert run(source, Rotate(angle=30, background="red"))[1].getpixel((0, 0)) == (255, 0, 0)


BACKSOURCE_COLOURS = [(None, (0, 0, 0, 0)), ("blue", (0, 0, 255, 255)), ("#0000ff80", (0, 0, 255, 128))]
SOURCE_COLOURS: dict[str, Any] = {"RGB": "lime", "RGBA": (0, 0, 0, 0)}


@pytest.mark.parametrize("angle", [30, 45, -30, 200])
@pytest.mark.parametrize("expand", [True, False])
@pytest.mark.parametrize("mode", SOURCE_COLOURS)
@pytest.mark.parametrize(("background", "corner"), BACKSOURCE_COLOURS)
def test_rotate_turns_clockwise_around_the_centre(
    angle: int, expand: bool, mode: str, background: str | None, corner: Any, save: Save, run: Run
) -> None:
    source = Image.new(mode, (120, 90), SOURCE_COLOURS[mode])
    source.paste("red", (50, 5, 70, 25))  # its centre is 30 pixels above the image's
    operation = Rotate(angle=angle, expand=expand, background=background)
    _, image = run(save(source, "in.png"), operation)
    sine, cosine = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    box = np.abs([[cosine, sine], [sine, cosine]]) @ (120, 90)
    assert image.size == pytest.approx(box, abs=2) if expand else image.size == (120, 90)
    pixels = as_floats(image.convert("RGBA"))
    red = pixels[..., 0] * pixels[..., 3]
    rows, columns = np.indices(red.shape) + 0.5
    centroid = np.average(columns, weights=red), np.average(rows, weights=red)
    assert centroid == pytest.approx((image.width / 2 + 30 * sine, image.height / 2 - 30 * cosine), abs=0.1)
    assert (pixels[[0, 0, -1, -1], [0, -1, 0, -1]] == corner).all()
    middle = pixels[image.height // 2, image.width // 2]
    assert middle.tolist() == (
        [0, 255, 0, 255] if mode == "RGB" else [0, 0, 0, 0]
    )  # the background is only in the corners


def test_without_expand_the_canvas_keeps_its_size(save: Save, run: Run) -> None:
    facts, _ = run(save(Image.new("RGB", (60, 40)), "in.png"), Rotate(angle=90, expand=False))
    assert (facts.width, facts.height) == (60, 40)


def test_blur_does_not_bleed_colours_of_transparent_pixels(save: Save, run: Run) -> None:
    half = Image.new("RGBA", (60, 60), (0, 255, 0, 0))
    half.paste((255, 0, 0, 255), (0, 0, 30, 60))
    _, image = run(save(half, "in.png"), Blur(sigma=4))
    pixels = np.asarray(image).reshape(-1, 4)
    assert (pixels[pixels[:, 3] > 16][:, 1] <= 2).all()


def test_operations_run_in_order(save: Save, run: Run) -> None:
    source = save(Image.new("RGB", (60, 40), "red"), "in.png")
    facts, image = run(
        source, Crop(width=20, height=10), Rotate(angle=90), Grayscale(), Convert(format="webp")
    )
    assert (facts.format, facts.width, facts.height, image.mode) == ("webp", 10, 20, "RGB")


def test_limits_hold_for_every_step(save: Save, run: Run) -> None:
    source = save(Image.new("RGB", (100, 100)), "in.png")
    shrink = Resize(width=1, height=1)
    with pytest.raises(ResultTooLarge):
        run(source, Resize(width=16_384, height=16_384, enlarge=True), shrink)
    with pytest.raises(ResultTooLarge):
        run(source, Rotate(angle=45), shrink, limits=Limits(max_pixels=15_000))
    with pytest.raises(ResultTooLarge):
        run(source, Rotate(angle=45), shrink, limits=Limits(max_side=120))


def test_a_side_that_the_format_cannot_hold_is_refused(save: Save, run: Run) -> None:
    source = save(Image.new("L", (16_384, 2)), "in.png")
    with pytest.raises(ResultTooLarge):
        run(source, Convert(format="webp"))
