"""EXIF orientation, also together with decoding at a fraction of the size."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from libs.imaging.operations import Convert, Grayscale, Resize
from tests.imaging.conftest import Run, Save
from tests.imaging.float_reference import as_floats, psnr

ORIENTATIONS = range(1, 9)
EXTENSIONS = ["jpg", "png", "webp", "avif", "tiff"]


def _rotated_photo(photos: Path, save: Save, orientation: int, extension: str) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    with Image.open(photos / "coffee.png") as image:
        return save(image.resize((301, 203)), f"in.{extension}", exif=exif)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_the_result_is_upright(orientation: int, extension: str, photos: Path, save: Save, run: Run) -> None:
    source = _rotated_photo(photos, save, orientation, extension)
    _, image = run(source, Grayscale(), Convert(format="png"))
    with Image.open(source) as stored:
        expected = ImageOps.exif_transpose(stored).convert("L")
    if extension == "jpg":  # the decoder's luma is not clipped like colours are
        assert psnr(image, as_floats(expected)) >= 45
    else:
        assert np.array_equal(np.asarray(image), np.asarray(expected))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_a_first_resize_applies_to_the_upright_image(
    orientation: int, extension: str, photos: Path, save: Save, run: Run
) -> None:
    source = _rotated_photo(photos, save, orientation, extension)
    resize = Resize(width=31, height=47, fit="cover", gravity="top-left")
    _, image = run(source, resize, Convert(format="png"))
    with Image.open(source) as stored:
        expected = resize.apply(ImageOps.exif_transpose(stored).convert("RGB"))
    assert image.size == (31, 47)
    assert psnr(image, np.asarray(expected, dtype=np.float64)) >= 38


def test_the_result_has_no_orientation_tag(photos: Path, save: Save, run: Run) -> None:
    _, image = run(_rotated_photo(photos, save, 6, "jpg"))
    assert not image.getexif()


@pytest.mark.parametrize("mode", ["L", "CMYK", "1", "RGB"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_tiff_of_any_mode_is_upright(orientation: int, mode: str, save: Save, run: Run) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.linear_gradient("L").resize((31, 17)).convert("RGB").convert(mode)
    image.paste(0, (0, 0, 9, 5))
    turned = ImageOps.exif_transpose(_with_exif(image, exif))
    _, result = run(save(image, "in.tiff", exif=exif), Convert(format="png"))
    assert result.size == turned.size
    if mode != "CMYK":
        assert np.array_equal(np.asarray(result.convert("RGB")), np.asarray(turned.convert("RGB")))


def _with_exif(image: Image.Image, exif: Image.Exif) -> Image.Image:
    marked = image.copy()
    marked.getexif().update(exif)
    return marked
