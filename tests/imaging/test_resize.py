"""Sizes and pixels of resized images."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from libs.imaging.geometry import Gravity
from libs.imaging.operations import Convert, Resize
from tests.imaging.conftest import Run, Save
from tests.imaging.float_reference import float_resize, psnr

# Source size, options, exact size of the result as sharp gives it.
SIZES: list[tuple[tuple[int, int], dict[str, Any], tuple[int, int]]] = [
    ((600, 400), {"width": 300}, (300, 200)),
    ((600, 400), {"height": 300}, (450, 300)),
    ((600, 400), {"width": 100, "height": 100}, (100, 67)),
    ((600, 400), {"width": 100, "height": 100, "fit": "cover"}, (100, 100)),
    ((600, 400), {"width": 100, "height": 100, "fit": "contain"}, (100, 100)),
    ((600, 400), {"width": 100, "height": 100, "fit": "fill"}, (100, 100)),
    ((600, 400), {"width": 100, "height": 100, "fit": "outside"}, (150, 100)),
    ((600, 400), {"width": 150, "fit": "fill"}, (150, 100)),
    ((600, 400), {"width": 150, "fit": "cover"}, (150, 100)),
    ((600, 400), {"height": 100, "fit": "contain"}, (150, 100)),
    ((600, 400), {"width": 1200}, (600, 400)),
    ((600, 400), {"width": 1200, "enlarge": True}, (1200, 800)),
    ((600, 400), {"width": 1200, "height": 200, "fit": "fill"}, (600, 200)),
    ((600, 400), {"width": 1200, "height": 200, "fit": "fill", "enlarge": True}, (1200, 200)),
    ((600, 400), {"width": 1200, "height": 300, "fit": "cover"}, (600, 300)),
    ((600, 400), {"width": 1200, "height": 300, "fit": "cover", "enlarge": True}, (1200, 300)),
    ((600, 400), {"width": 800, "height": 800, "fit": "contain"}, (800, 800)),
    ((600, 400), {"width": 800, "height": 800, "fit": "outside"}, (600, 400)),
    ((5, 3), {"width": 2}, (2, 1)),
    ((4, 3), {"width": 2}, (2, 2)),
    ((1000, 1), {"width": 10}, (10, 1)),
    ((1, 1000), {"width": 10, "height": 10}, (1, 10)),
    ((1000, 1), {"width": 10, "height": 10, "fit": "cover", "enlarge": True}, (10, 10)),
    ((1411, 941), {"width": 320, "height": 240}, (320, 213)),
]


@pytest.mark.parametrize(("before", "options", "after"), SIZES)
def test_every_fit_gives_the_exact_size(
    before: tuple[int, int], options: dict[str, Any], after: tuple[int, int], save: Save, run: Run
) -> None:
    resize = Resize(**options)
    facts, image = run(save(Image.new("RGB", before, "teal"), "in.png"), resize)
    assert (facts.width, facts.height) == image.size == resize.result_size(before) == after


# Least PSNR of each photo; stars one pixel wide are the hardest to decode at a fraction of the size.
FLOORS_DB = {"rocket.jpg": 40, "retina.jpg": 45, "hubble_deep_field.jpg": 40}

# Which third, across and down, `cover` keeps and `contain` fills.
KEPT: dict[Gravity, tuple[int, int]] = {
    "top-left": (0, 0),
    "top": (1, 0),
    "top-right": (2, 0),
    "left": (0, 1),
    "center": (1, 1),
    "right": (2, 1),
    "bottom-left": (0, 2),
    "bottom": (1, 2),
    "bottom-right": (2, 2),
}


@pytest.mark.parametrize(("gravity", "third"), KEPT.items())
def test_cover_keeps_the_part_that_gravity_names(
    gravity: Gravity, third: tuple[int, int], save: Save, run: Run
) -> None:
    for size, along in (((90, 30), 0), ((30, 90), 1)):
        bands = Image.new("RGB", size)
        for index, colour in enumerate(("red", "green", "blue")):
            left, top = (index * 30, 0) if along == 0 else (0, index * 30)
            bands.paste(colour, (left, top, left + 30, top + 30))
        _, image = run(save(bands, "in.png"), Resize(width=30, height=30, fit="cover", gravity=gravity))
        expected = [(255, 0, 0), (0, 128, 0), (0, 0, 255)][third[along]]
        assert image.getpixel((15, 15)) == expected


@pytest.mark.parametrize(("gravity", "third"), KEPT.items())
def test_contain_puts_the_image_where_gravity_says(
    gravity: Gravity, third: tuple[int, int], save: Save, run: Run
) -> None:
    wide = save(Image.new("RGB", (90, 30), "red"), "in.png")
    _, image = run(wide, Resize(width=90, height=90, fit="contain", gravity=gravity, background="#00f"))
    rows = np.asarray(image)[:, 45, 0]
    assert list(np.flatnonzero(rows == 255)) == list(range(30 * third[1], 30 * third[1] + 30))
    assert np.asarray(image)[rows == 0].tolist()[0][0] == [0, 0, 255]


@pytest.mark.parametrize(
    ("enlarge", "box"), [(False, (100, 200, 700, 600)), (True, (0, 133, 800, 666))], ids=str
)
def test_contain_enlarges_the_image_only_with_enlarge(
    enlarge: bool, box: tuple[int, int, int, int], save: Save, run: Run
) -> None:
    source = save(Image.new("RGB", (600, 400), "teal"), "in.png")
    _, image = run(source, Resize(width=800, height=800, fit="contain", enlarge=enlarge))
    alpha = image.getchannel("A")
    assert (image.size, alpha.getbbox()) == ((800, 800), box)
    assert alpha.crop(box).getextrema() == (255, 255)


def test_contain_without_background_is_transparent_in_png_and_white_in_jpeg(save: Save, run: Run) -> None:
    source = save(Image.new("RGB", (90, 30), "red"), "in.png")
    resize = Resize(width=90, height=90, fit="contain")
    assert run(source, resize)[1].getpixel((0, 0)) == (0, 0, 0, 0)
    assert run(source, resize, Convert(format="jpeg"))[1].getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("photo", ["astronaut.png", "coffee.png", "chelsea.png", "camera.png"])
def test_a_resized_png_equals_a_float_lanczos(photo: str, photos: Path, run: Run) -> None:
    _, image = run(photos / photo, Resize(width=173))
    reference = float_resize(photos / photo, image.size)
    assert psnr(image, reference) >= 50


@pytest.mark.parametrize(("photo", "floor_db"), FLOORS_DB.items())
@pytest.mark.parametrize("width", [61, 100, 173, 300])
def test_a_jpeg_decoded_at_a_fraction_equals_a_float_lanczos(
    photo: str, floor_db: int, width: int, photos: Path, run: Run
) -> None:
    _, image = run(photos / photo, Resize(width=width), Convert(format="png"))
    assert psnr(image, float_resize(photos / photo, image.size)) >= floor_db


def test_cover_of_a_jpeg_equals_resizing_and_then_cropping(photos: Path, run: Run) -> None:
    _, image = run(photos / "rocket.jpg", Resize(width=80, height=80, fit="cover"), Convert(format="png"))
    full = float_resize(photos / "rocket.jpg", (120, 80))
    assert psnr(image, full[:, 20:100]) >= 40


def test_transparent_pixels_do_not_bleed_when_resized(save: Save, run: Run) -> None:
    half = Image.new("RGBA", (100, 100), (0, 255, 0, 0))
    half.paste((255, 0, 0, 255), (0, 0, 50, 100))
    _, image = run(save(half, "in.png"), Resize(width=33))
    pixels = np.asarray(image).reshape(-1, 4)
    assert (pixels[pixels[:, 3] > 8][:, 1] <= 2).all()
