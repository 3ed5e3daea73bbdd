"""The exact result size and position of every operation, also for one pixel, odd sides and extreme ratios."""

from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pytest
from PIL import Image

from libs.imaging.errors import CropOutside, ResultTooLarge
from libs.imaging.geometry import Focus, Size
from libs.imaging.limits import Limits
from libs.imaging.operations import AnyOperation, Crop, Pad, Pixelate, Region, Resize, RoundCorners, Trim
from tests.imaging.conftest import Run, Save

# The operation in JSON, the size before, and the exact size after.
SIZES: list[tuple[str, Size, Size]] = [
    ('{"op": "resize", "scale": 0.5}', (5, 3), (3, 2)),
    ('{"op": "resize", "scale": 0.001}', (5, 3), (1, 1)),
    ('{"op": "resize", "scale": 2}', (5, 3), (5, 3)),
    ('{"op": "resize", "scale": 2, "enlarge": true}', (5, 3), (10, 6)),
    ('{"op": "resize", "width": 40, "kernel": "nearest"}', (60, 40), (40, 27)),
    ('{"op": "resize", "width": 20, "height": 20, "fit": "cover", "gravity": "smart"}', (60, 40), (20, 20)),
    (
        '{"op": "resize", "width": 20, "height": 20, "fit": "cover", "gravity": {"x": 1, "y": 0}}',
        (60, 40),
        (20, 20),
    ),
    ('{"op": "crop", "width": 3, "height": 2}', (5, 3), (3, 2)),
    ('{"op": "crop", "width": 3, "height": 2, "gravity": "bottom-right"}', (5, 3), (3, 2)),
    ('{"op": "crop", "aspect": "16:9"}', (1000, 1000), (1000, 563)),
    ('{"op": "crop", "aspect": "9:16"}', (1000, 1000), (563, 1000)),
    ('{"op": "crop", "aspect": "1:1", "gravity": "smart"}', (61, 40), (40, 40)),
    ('{"op": "crop", "aspect": "99999:1"}', (10, 10), (10, 1)),
    ('{"op": "crop", "aspect": "1:1"}', (1, 1), (1, 1)),
    ('{"op": "trim"}', (61, 40), (61, 40)),
    ('{"op": "pad", "top": 1, "right": 2, "bottom": 3, "left": 4}', (5, 3), (11, 7)),
    ('{"op": "pad", "left": 1, "color": "red"}', (1, 1), (2, 1)),
    ('{"op": "rotate", "angle": 90}', (5, 3), (3, 5)),
    ('{"op": "rotate", "angle": -180}', (5, 3), (5, 3)),
    ('{"op": "rotate", "angle": 45, "expand": false}', (5, 3), (5, 3)),
    ('{"op": "rotate", "angle": 45, "background": "#123"}', (10, 10), (16, 16)),
    ('{"op": "flip"}', (5, 3), (5, 3)),
    ('{"op": "mirror"}', (1, 9), (1, 9)),
    ('{"op": "watermark", "text": "Ω", "scale": 1, "position": "tile", "rotate": 30}', (61, 40), (61, 40)),
    ('{"op": "watermark", "text": "wide enough to be shrunk", "size": 500}', (61, 40), (61, 40)),
    ('{"op": "watermark", "text": "x", "position": {"x": -5, "y": 900}}', (1, 1), (1, 1)),
    ('{"op": "grayscale"}', (5, 3), (5, 3)),
    ('{"op": "sepia"}', (5, 3), (5, 3)),
    ('{"op": "blur", "sigma": 30}', (5, 3), (5, 3)),
    ('{"op": "sharpen"}', (1, 1), (1, 1)),
    ('{"op": "invert"}', (5, 3), (5, 3)),
    ('{"op": "brightness", "factor": 1.5}', (5, 3), (5, 3)),
    ('{"op": "contrast", "factor": 0}', (5, 3), (5, 3)),
    ('{"op": "saturation", "factor": 10}', (5, 3), (5, 3)),
    ('{"op": "gamma", "gamma": 2.2}', (5, 3), (5, 3)),
    ('{"op": "posterize", "bits": 1}', (5, 3), (5, 3)),
    ('{"op": "solarize"}', (5, 3), (5, 3)),
    ('{"op": "vignette", "strength": 1}', (1, 1), (1, 1)),
    ('{"op": "pixelate", "size": 1024}', (5, 3), (5, 3)),
    ('{"op": "pixelate", "box": {"x": 4, "y": 2, "width": 9, "height": 9}}', (5, 3), (5, 3)),
    ('{"op": "round_corners", "radius": 16384}', (5, 3), (5, 3)),
    ('{"op": "round_corners", "radius": 1, "background": "blue"}', (1, 1), (1, 1)),
    ('{"op": "tint", "color": "teal"}', (5, 3), (5, 3)),
    ('{"op": "duotone", "shadow": "navy", "highlight": "gold"}', (5, 3), (5, 3)),
    ('{"op": "autocontrast", "cutoff": 49.9}', (5, 3), (5, 3)),
    ('{"op": "equalize"}', (1, 1), (1, 1)),
    ('{"op": "compress"}', (5, 3), (5, 3)),
    ('{"op": "convert", "format": "auto"}', (5, 3), (5, 3)),
    ('{"op": "metadata", "mode": "keep"}', (5, 3), (5, 3)),
    ('{"op": "frames", "frame": 0}', (5, 3), (5, 3)),
]
MODES = ["L", "LA", "RGB", "RGBA", "1", "P", "I;16"]


def _noise(size: Size, mode: str) -> Image.Image:
    generator = np.random.default_rng(7)
    if mode == "I;16":
        return Image.fromarray(generator.integers(0, 65_536, (size[1], size[0]), dtype=np.uint16))
    channels = generator.integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    image = Image.fromarray(channels)
    return image.convert("RGB").quantize(16) if mode == "P" else image.convert(mode)


def test_every_operation_is_in_the_table() -> None:
    named: set[Any] = {type(msgspec.json.decode(text, type=AnyOperation)) for text, _, _ in SIZES}
    assert named == set(get_args(AnyOperation))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("text", "before", "after"), SIZES)
def test_the_result_has_the_predicted_size(
    text: str, before: Size, after: Size, mode: str, save: Save, run: Run
) -> None:
    operation = msgspec.json.decode(text, type=AnyOperation)
    assert operation.result_size(before) == after
    facts, image = run(save(_noise(before, mode), "in.png"), operation)
    assert (facts.width, facts.height) == image.size == after


@pytest.mark.parametrize(
    ("crop", "box"),
    [
        (Crop(width=20, height=10, gravity="top-left"), (0, 0)),
        (Crop(width=20, height=10, gravity="center"), (21, 15)),
        (Crop(width=20, height=10, gravity="bottom-right"), (41, 30)),
        (Crop(width=20, height=10, gravity=Focus(x=0.5, y=0.25)), (21, 5)),
        (Crop(width=20, height=10, gravity=Focus(x=0, y=1)), (0, 30)),
        (Crop(width=20, height=10, x=3, y=4), (3, 4)),
        (Crop(aspect="2:1"), (0, 5)),
        (Crop(aspect="2:1", gravity="bottom"), (0, 9)),
    ],
)
def test_a_crop_lies_where_its_gravity_says(crop: Crop, box: Size, save: Save, run: Run) -> None:
    noise = _noise((61, 40), "RGB")
    width, height = crop.result_size((61, 40))
    _, image = run(save(noise, "in.png"), crop)
    expected = np.asarray(noise)[box[1] : box[1] + height, box[0] : box[0] + width]
    assert np.array_equal(np.asarray(image), expected)


@pytest.mark.parametrize(("left", "top"), [(5, 7), (150, 90), (80, 2)])
@pytest.mark.parametrize("extension", ["png", "jpg"])
def test_smart_keeps_the_only_detail(left: int, top: int, extension: str, save: Save, run: Run) -> None:
    plain = Image.new("RGB", (200, 120), "gray")
    plain.paste(_noise((30, 20), "RGB"), (left, top))
    source = save(plain, f"in.{extension}", quality=95)
    crop = Crop(width=60, height=60, gravity="smart")
    box = crop.find_smart_box([plain])
    assert box[0] <= left and left + 30 <= box[2]  # noqa: PT018
    assert box[1] <= top and top + 20 <= box[3]  # noqa: PT018
    assert run(source, crop)[0] == run(source, crop)[0]
    _, cover = run(source, Resize(width=60, height=60, fit="cover", gravity="smart"))
    assert np.asarray(cover, dtype=float).std() > 3


def test_smart_keeps_the_centre_of_a_plain_image(save: Save) -> None:
    assert Crop(aspect="1:1", gravity="smart").find_smart_box([Image.new("RGB", (101, 40))])[0] in {30, 31}


def test_a_smart_crop_is_the_same_in_every_frame(save: Save, run: Run) -> None:
    frames = [Image.new("RGB", (100, 40), "gray") for _ in range(3)]
    for number, frame in enumerate(frames):
        frame.paste(_noise((20, 20), "RGB"), (75, 10 + number))
    source = save(frames[0], "in.png", save_all=True, append_images=frames[1:], duration=100)
    facts, image = run(source, Crop(aspect="1:1", gravity="smart"))
    assert (facts.frames, image.size) == (3, (40, 40))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
def test_trim_finds_the_exact_box(mode: str, save: Save, run: Run) -> None:
    border = (250, 250, 250, 255)
    image = Image.new("RGBA", (50, 40), border)
    image.paste((10, 20, 30, 255), (7, 3, 31, 36))
    source = save(image.convert(mode), "in.png")
    assert run(source, Trim())[1].size == (24, 33)
    assert run(source, Trim(tolerance=255))[1].size == (50, 40)
    assert run(source, Trim(color="#fafafa"))[1].size == (24, 33)
    assert run(source, Trim(color="red", tolerance=0))[1].size == (50, 40)


def test_trim_respects_transparency_and_tolerance(save: Save, run: Run) -> None:
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    image.paste((200, 0, 0, 0), (2, 2, 5, 5))
    image.paste((0, 0, 0, 255), (8, 9, 12, 18))
    assert run(save(image, "in.png"), Trim())[1].size == (4, 9)
    near = Image.new("L", (9, 9), 100)
    near.putpixel((4, 4), 110)
    assert run(save(near, "in.png"), Trim(tolerance=10))[1].size == (9, 9)
    assert run(save(near, "in.png"), Trim(tolerance=9))[1].size == (1, 1)


def test_trim_of_an_animation_keeps_what_any_frame_shows(save: Save, run: Run) -> None:
    frames = [Image.new("RGB", (20, 20), "white") for _ in range(2)]
    frames[0].paste("black", (2, 3, 4, 5))
    frames[1].paste("black", (10, 11, 15, 16))
    source = save(frames[0], "in.png", save_all=True, append_images=frames[1:], duration=100)
    facts, image = run(source, Trim())
    assert (facts.frames, image.size) == (2, (13, 13))


def test_operations_after_a_trim_are_checked_against_its_real_size(save: Save, run: Run) -> None:
    image = Image.new("RGB", (60, 60), "white")
    image.paste("black", (10, 10, 12, 50))
    source = save(image, "in.png")
    with pytest.raises(CropOutside):
        run(source, Trim(), Crop(width=30, height=30))
    grow = Resize(width=1000, enlarge=True)
    with pytest.raises(ResultTooLarge):
        run(source, Trim(), grow, limits=Limits(max_pixels=1_100_000))


def test_pad_adds_the_given_pixels_on_each_side(save: Save, run: Run) -> None:
    noise = _noise((5, 3), "RGB")
    _, image = run(save(noise, "in.png"), Pad(top=1, right=2, bottom=3, left=4, color="red"))
    pixels = np.asarray(image)
    assert np.array_equal(pixels[1:4, 4:9], np.asarray(noise))
    assert (np.delete(pixels.reshape(-1, 3), [], axis=0)[0] == [255, 0, 0]).all()
    assert run(save(noise, "in.png"), Pad(top=1))[1].getpixel((0, 0)) == (0, 0, 0, 0)


def test_round_corners_changes_only_the_corners(save: Save, run: Run) -> None:
    _, image = run(save(Image.new("RGB", (60, 40), "red"), "in.png"), RoundCorners(radius=10))
    alpha = np.asarray(image)[..., 3]
    rows, columns = np.mgrid[0:40, 0:60] + 0.5
    outside = np.hypot(np.clip(10 - columns, 0, None), np.clip(10 - rows, 0, None))
    assert (alpha[:20, :30][outside[:20, :30] > 11] == 0).all()
    assert (alpha[:20, :30][outside[:20, :30] < 9] == 255).all()
    assert np.array_equal(alpha, alpha[::-1])
    assert np.array_equal(alpha, alpha[:, ::-1])
    assert alpha.sum() / 255 == pytest.approx(60 * 40 - (4 - np.pi) * 100, abs=3)


def test_pixelate_replaces_squares_by_their_mean_within_the_box(save: Save, run: Run) -> None:
    noise = _noise((50, 40), "RGB")
    _, image = run(save(noise, "in.png"), Pixelate(size=8, box=Region(x=3, y=5, width=20, height=16)))
    expected = np.asarray(noise, dtype=float).copy()
    for top in range(5, 21, 8):
        for left in range(3, 23, 8):
            square = expected[top : min(top + 8, 21), left : min(left + 8, 23)]
            square[:] = square.mean(axis=(0, 1))
    assert np.abs(np.asarray(image) - expected).max() <= 1


def test_pixelate_refuses_a_box_outside_the_image(photos: Path, run: Run) -> None:
    with pytest.raises(CropOutside):
        run(photos / "coffee.png", Pixelate(box=Region(x=600, y=0, width=5, height=5)))
