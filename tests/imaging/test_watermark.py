"""Watermarks: position, size, text, and errors."""

from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

from libs.imaging.errors import AssetMissing, AssetUnreadable, TextNotDrawable
from libs.imaging.geometry import Position
from libs.imaging.limits import Limits
from libs.imaging.operations import Convert, Grayscale, Point, Watermark
from libs.imaging.pipeline import render
from tests.imaging.conftest import Save
from tests.imaging.float_reference import Floats, as_floats

PLACES: dict[Any, tuple[int, int]] = {
    "top-left": (0, 0),
    "top": (40, 0),
    "top-right": (80, 0),
    "left": (0, 30),
    "center": (40, 30),
    "right": (80, 30),
    "bottom-left": (0, 60),
    "bottom": (40, 60),
    "bottom-right": (80, 60),
    Point(x=7, y=9): (7, 9),
}
SIZE = (100, 70)


def _watermarked(
    save: Save, tmp_path: Path, operation: Watermark, mark: Image.Image, mode: str = "RGB"
) -> Floats:
    base = save(Image.new("RGB", SIZE, (10, 200, 30)).convert(mode), "base.png")
    logo = save(mark, "logo.png")
    render(base, tmp_path / "out", [operation], Limits(), assets={"part:logo": logo})
    with Image.open(tmp_path / "out") as image:
        return as_floats(image.convert("RGB"))


@pytest.mark.parametrize(("position", "corner"), PLACES.items(), ids=str)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_only_the_covered_region_changes(
    position: Position, corner: tuple[int, int], mode: str, save: Save, tmp_path: Path
) -> None:
    mark = Image.new("RGBA", (20, 10), (255, 0, 0, 255))
    pixels = _watermarked(save, tmp_path, Watermark(part="logo", position=position, opacity=0.5), mark, mode)
    ground = as_floats(Image.new("RGB", (1, 1), (10, 200, 30)).convert(mode).convert("RGB"))[0, 0]
    expected = np.broadcast_to(ground, (70, 100, 3)).copy()
    box = expected[corner[1] : corner[1] + 10, corner[0] : corner[0] + 20]
    box[:] = (box + np.array([255, 0, 0])) / 2
    assert np.abs(pixels - expected).max() <= 1


def test_margin_scale_and_position_place_the_watermark(save: Save, tmp_path: Path) -> None:
    def covered(operation: Watermark, size: tuple[int, int]) -> tuple[int, ...]:
        red = _watermarked(save, tmp_path, operation, Image.new("RGB", size, (255, 0, 0)))[..., 0] > 128
        rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
        return tuple(int(edge) for edge in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))

    assert covered(Watermark(part="logo", margin=5), (20, 10)) == (75, 55, 95, 65)
    assert covered(Watermark(part="logo", scale=0.5), (20, 10)) == (50, 45, 100, 70)
    assert covered(Watermark(part="logo", position="top-left"), (400, 100)) == (0, 0, 100, 25)
    assert covered(Watermark(part="logo", position="center", margin=10), (400, 100)) == (10, 25, 90, 45)
    assert covered(Watermark(part="logo", position=Point(x=90, y=-5)), (20, 10)) == (90, 0, 100, 5)
    assert covered(Watermark(part="logo", position="tile"), (1, 1)) == (0, 0, 100, 70)
    assert covered(Watermark(part="logo", rotate=90, position="top-left"), (20, 10)) == (0, 0, 10, 20)


def test_a_tile_repeats_with_its_margin(save: Save, tmp_path: Path) -> None:
    mark = Image.new("RGB", (10, 10), (255, 0, 0))
    pixels = _watermarked(save, tmp_path, Watermark(part="logo", position="tile", margin=5), mark)
    red = pixels[..., 0] > 128
    rows, columns = np.mgrid[0:70, 0:100]
    assert np.array_equal(red, (rows % 15 < 10) & (columns % 15 < 10))


@pytest.mark.parametrize(
    "text", ["Ω Grüße Привет", "שלום", "مرحبا", "two\nlines", "©™€", "東京 Tokyo", "서울", "北京、中国"]
)
def test_text_of_many_scripts_is_drawn(text: str, save: Save, tmp_path: Path) -> None:
    operation = Watermark(text=text, size=20, color="white", position="center")
    pixels = _watermarked(save, tmp_path, operation, Image.new("L", (1, 1)))
    white = (pixels > 240).all(axis=-1)
    assert 20 < white.sum() < 0.5 * white.size


def test_scale_sets_the_width_of_the_text(save: Save, tmp_path: Path) -> None:
    operation = Watermark(text="Darkroom", scale=0.8, color="red", position="center")
    red = _watermarked(save, tmp_path, operation, Image.new("L", (1, 1)))[..., 0] > 60
    columns = np.flatnonzero(red.any(axis=0))
    assert 70 <= columns[-1] - columns[0] + 1 <= 80


def test_characters_of_two_fonts_share_a_baseline(save: Save, tmp_path: Path) -> None:
    def drawn(text: str) -> Any:
        operation = Watermark(text=text, size=24, color="white", position="top-left")
        return _watermarked(save, tmp_path, operation, Image.new("L", (1, 1)))[..., 0].astype(int) > 200

    mixed, latin = drawn("I東I"), drawn("I")
    columns = np.flatnonzero(mixed.any(axis=0))
    rows = [np.flatnonzero(mixed[:, column]) for column in (columns[0], columns[-1])]
    assert rows[0].tolist() == rows[1].tolist(), "both letters I have the same height and length"
    assert len(rows[0]) == latin.any(axis=1).sum()
    between = mixed[:, columns[0] + 5 : columns[-1] - 4]
    assert 20 <= np.ptp(np.flatnonzero(between.any(axis=0))) + 1 <= 24, "a Chinese character fills a square"
    assert (drawn("東") != drawn("京")).any()


def test_characters_without_a_glyph_are_refused(save: Save, tmp_path: Path) -> None:
    with pytest.raises(TextNotDrawable, match="'ᠣᠮ'"):
        _watermarked(save, tmp_path, Watermark(text="a漢กᠮᠣ"), Image.new("L", (1, 1)))


def test_a_coloured_mark_colours_a_grey_image(photos: Path, save: Save, tmp_path: Path) -> None:
    logo = save(Image.new("RGB", (20, 10), "red"), "logo.png")
    source = photos / "rocket.jpg"
    operations = [Grayscale(), Watermark(part="logo", position="top-left"), Convert(format="png")]
    render(source, tmp_path / "out", operations, Limits(), assets={"part:logo": logo})
    with Image.open(tmp_path / "out") as image:
        assert image.getpixel((3, 3)) == (255, 0, 0)


def test_every_frame_is_watermarked(save: Save, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "lime", "blue")]
    source = save(frames[0], "in.webp", save_all=True, append_images=frames[1:], duration=100, lossless=True)
    logo = save(Image.new("RGB", (10, 10), "white"), "logo.png")
    operation = Watermark(part="logo", position="top-left")
    render(source, tmp_path / "out", [operation], Limits(), assets={"part:logo": logo})
    with Image.open(tmp_path / "out") as image:
        for number in range(3):
            image.seek(number)
            pixel = image.convert("RGB").getpixel((4, 4))
            assert isinstance(pixel, tuple)
            assert min(pixel) > 240


def test_a_missing_or_unreadable_asset_has_its_own_error(photos: Path, save: Save, tmp_path: Path) -> None:
    image_id = UUID(int=7)
    with pytest.raises(AssetMissing, match=str(image_id)):
        render(photos / "coffee.png", tmp_path / "out", [Watermark(image_id=image_id)], Limits())
    bomb = save(b"RIFF\x16\0\0\0WEBPVP8L\x0e\0\0\0\x2f\xff\x8f\xff\x0f" + bytes(9), "bomb.webp")
    with pytest.raises(AssetUnreadable) as caught:
        render(
            photos / "coffee.png",
            tmp_path / "out",
            [Watermark(image_id=image_id)],
            Limits(),
            assets={f"image:{image_id}": bomb},
        )
    assert caught.value.code == "asset_unreadable"
