"""An edited picture is laid back into the hole of its mask, and nothing else changes."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from libs.imaging.edit_model_files import InputRequirements, finish, prepare
from libs.imaging.limits import Limits
from libs.imaging.mask_feather import feathered, lay_back
from libs.imaging.operations import Convert, Resize
from tests.imaging.conftest import Save

ANY = InputRequirements(square=False, max_bytes=50_000_000, max_edge=100)
SQUARE = InputRequirements(square=True, max_bytes=4_000_000, max_edge=100)


def noise(size: tuple[int, int], mode: str = "RGB", *, seed: int = 1) -> Image.Image:
    random = np.random.default_rng(seed)
    channels = len(Image.new(mode, (1, 1)).getbands())
    shape = (size[1], size[0], channels) if channels > 1 else (size[1], size[0])
    return Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8), mode)


def holes() -> Iterator[Image.Image]:
    """Yield holes of many shapes: boxes, ellipses, lines, at edges, scattered points, everything, nothing."""
    random = np.random.default_rng(2)
    for number in range(60):
        size = (int(random.integers(3, 300)), int(random.integers(3, 300)))
        hole = Image.new("L", size)
        draw = ImageDraw.Draw(hole)
        left, right = sorted(int(at) for at in random.integers(-20, size[0] + 20, 2))
        top, bottom = sorted(int(at) for at in random.integers(-20, size[1] + 20, 2))
        match number % 5:
            case 0:
                draw.rectangle((left, top, right, bottom), fill=255)
            case 1:
                draw.ellipse((left, top, right, bottom), fill=255)
            case 2:
                draw.line((left, top, right, bottom), fill=255, width=int(random.integers(1, 4)))
            case 3:
                hole = Image.fromarray(np.where(random.random(size[::-1]) < 0.1, 255, 0).astype(np.uint8))
            case _:
                hole.paste(255 * (number % 2), (0, 0, *size))
        yield hole


def pixels(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image)


@pytest.mark.parametrize(
    "modes", [("RGB", "RGB"), ("L", "RGB"), ("RGBA", "RGB"), ("LA", "RGBA"), ("RGB", "RGBA")]
)
def test_outside_the_hole_every_pixel_stays(modes: tuple[str, str]) -> None:
    for number, hole in enumerate(holes()):
        original = noise(hole.size, modes[0], seed=number)
        answer = noise((50 + number, 40), modes[1], seed=number + 1)
        result = lay_back(original, answer, hole)
        assert result.size == original.size
        outside = pixels(hole) == 0
        kept = pixels(original.convert(result.mode))
        assert np.array_equal(pixels(result)[outside], kept[outside])


def test_the_weight_is_nothing_outside_and_grows_to_all_within_every_part_of_a_hole() -> None:
    for hole in holes():
        weight, inside = pixels(feathered(hole)), pixels(hole) > 0
        assert not weight[~inside].any()
        if inside.any():
            assert weight.max() == 255
    for width in (1, 2, 3, 5, 9, 40):
        strip = Image.new("L", (200, 200))
        strip.paste(255, (80, 0, 80 + width, 200))
        assert (pixels(feathered(strip)).max(axis=1) == 255).all(), width


def test_the_edited_picture_fades_in_at_the_edge_of_the_hole_but_not_at_that_of_the_image() -> None:
    hole = Image.new("L", (1024, 512))
    hole.paste(255, (0, 0, 600, 512))
    row = pixels(feathered(hole))[256].astype(int)
    assert (row[:580] == 255).all()
    assert (row[600:] == 0).all()
    border = row[584:601]
    assert all(0 <= before - after <= 32 for before, after in pairwise(border))


def test_a_border_is_as_wide_in_a_large_picture_as_in_its_small_copy() -> None:
    widths: list[float] = []
    for factor in (1, 2, 5):
        hole = Image.new("L", (800 * factor, 600 * factor))
        hole.paste(255, (0, 0, 400 * factor, 600 * factor))
        row = pixels(feathered(hole))[300 * factor]
        widths.append(float(((row > 0) & (row < 255)).sum()) / factor)
    assert max(widths) - min(widths) <= 3, widths


def test_two_holes_do_not_weaken_each_other() -> None:
    hole = Image.new("L", (400, 300))
    hole.paste(255, (100, 50, 300, 250))
    hole.paste(255, (304, 50, 306, 250))  # a stroke beside a large hole
    assert (pixels(feathered(hole))[60:240, 304:306] == 255).all()


def test_clear_pixels_lend_no_colour_to_the_border() -> None:
    original = Image.new("RGBA", (200, 100), (255, 0, 0, 0))
    answer = Image.new("RGB", (200, 100), "blue")
    hole = Image.new("L", (200, 100))
    hole.paste(255, (0, 0, 100, 100))
    result = pixels(lay_back(original, answer, hole))
    assert (result[:, :90] == (0, 0, 255, 255)).all()
    border = result[:, 90:100][result[:, 90:100, 3] > 8]
    assert border[:, 0].max() <= 8


@pytest.mark.parametrize("requirements", [ANY, SQUARE], ids=["any", "square"])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("answer_size", [(64, 64), (300, 200), (1000, 1000)])
def test_a_result_has_the_size_and_outside_the_hole_the_pixels_of_its_source(
    requirements: InputRequirements,
    orientation: int,
    answer_size: tuple[int, int],
    save: Save,
    tmp_path: Path,
) -> None:
    upright = noise((240, 160))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright.transpose(Image.Transpose.ROTATE_90) if orientation == 6 else upright
    mask = Image.new("RGBA", (120, 80), "black")
    mask.paste((0, 0, 0, 0), (30, 20, 90, 60))
    source = save(stored, "source.png", exif=exif)
    prepared = prepare(source, save(mask, "mask.png"), tmp_path, requirements, Limits())
    source.unlink()
    answer = save(Image.new("RGB", answer_size, "lime"), "answer.png")  # the server ignored the mask
    done = finish(answer, tmp_path / "done", [Convert(format="png")], Limits(), prepared=prepared, assets={})
    assert (done.rendered.width, done.rendered.height) == upright.size
    with Image.open(tmp_path / "done") as image:
        result = pixels(image.convert("RGB"))
    outside = np.ones((160, 240), dtype=bool)
    outside[39:121, 59:181] = False  # the hole, and a pixel for scaling the mask
    assert np.array_equal(result[outside], pixels(upright)[outside])
    assert (result[50:110, 70:170] == (0, 255, 0)).all()


def test_the_limit_on_files_does_not_apply_to_the_picture_that_is_laid_back(
    save: Save, tmp_path: Path
) -> None:
    mask = Image.new("RGBA", (30, 20), "black")
    mask.paste((0, 0, 0, 0), (0, 0, 15, 20))
    source = save(noise((300, 200)), "source.jpg", quality=50)
    limits = Limits(max_bytes=60_000)  # less than a PNG of it
    prepared = prepare(source, save(mask, "mask.png"), tmp_path, ANY, limits)
    answer = save(Image.new("RGB", (64, 64), "lime"), "answer.png")
    done = finish(answer, tmp_path / "done", [Convert(format="jpeg")], limits, prepared=prepared, assets={})
    assert (done.rendered.width, done.rendered.height) == (300, 200)


def test_operations_follow_on_the_whole_picture(save: Save, tmp_path: Path) -> None:
    mask = Image.new("RGBA", (30, 20), "black")
    mask.paste((0, 0, 0, 0), (0, 0, 15, 20))
    source = save(Image.new("RGB", (300, 200), "red"), "source.jpg")
    prepared = prepare(source, save(mask, "mask.png"), tmp_path, ANY, Limits())
    answer = save(Image.new("RGB", (64, 64), "lime"), "answer.png")
    steps = [Resize(width=150), Convert(format="webp", lossless=True)]
    done = finish(answer, tmp_path / "done", steps, Limits(), prepared=prepared, assets={})
    assert (done.rendered.format, done.rendered.width, done.rendered.height) == ("webp", 150, 100)
    with Image.open(tmp_path / "done") as image:
        assert image.convert("RGB").getpixel((20, 50)) == (0, 255, 0)
        red = image.convert("RGB").getpixel((130, 50))
    assert isinstance(red, tuple)
    assert red[0] > 250


def test_the_mask_is_sent_in_the_style_of_the_server(save: Save, tmp_path: Path) -> None:
    mask = Image.new("RGBA", (60, 40), "black")
    mask.paste((9, 9, 9, 100), (0, 0, 30, 40))
    mask.paste((9, 9, 9, 160), (30, 0, 60, 20))
    source, path = save(noise((90, 60)), "source.png"), save(mask, "mask.png")
    for square in (False, True):
        for style in ("transparent", "white"):
            requirements = InputRequirements(
                square=square, max_bytes=4_000_000, max_edge=100, mask_style=style
            )
            prepared = prepare(source, path, tmp_path, requirements, Limits())
            assert prepared.mask is not None
            with Image.open(prepared.mask) as sent, Image.open(prepared.picture) as picture:
                assert sent.size == picture.size
                top = (sent.height - 60) // 2
                area = sent.crop((0, top, 90, top + 60))
                edited = area.point([255 * (v > 0) for v in range(256)]) if style == "white" else None
                if edited is None:
                    edited = area.getchannel("A").point([255] + [0] * 255)
                assert sent.mode == ("L" if style == "white" else "RGBA")
            expected = np.zeros((60, 90), np.uint8)
            expected[:, :45] = 255
            assert np.array_equal(pixels(edited), expected)
