"""Perceptual hashes are those of the imagehash library, over the file as it is stored."""

from pathlib import Path

import imagehash
import pytest
from PIL import Image

from libs.imaging.describe import describe
from libs.imaging.hashing import hex64, signed64
from libs.imaging.limits import Limits
from tests.imaging.conftest import Save

PHOTOS = [
    "astronaut.png",
    "camera.png",
    "chelsea.png",
    "clock_motion.png",
    "coffee.png",
    "coins.png",
    "horse.png",
    "hubble_deep_field.jpg",
    "logo.png",
    "no_time_for_that_tiny.gif",
    "page.png",
    "retina.jpg",
    "rocket.jpg",
    "text.png",
]


@pytest.mark.parametrize("photo", PHOTOS)
def test_the_hash_equals_imagehash(photo: str, photos: Path) -> None:
    with Image.open(photos / photo) as image:
        expected = str(imagehash.phash(image))
    assert describe(photos / photo, Limits()).phash == expected


@pytest.mark.parametrize("extension", ["jpg", "webp", "avif", "gif", "bmp", "tiff"])
def test_the_hash_is_taken_before_exif_turning(extension: str, photos: Path, save: Save) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {} if extension in {"gif", "bmp"} else {"exif": exif}
    with Image.open(photos / "coffee.png") as image:
        source = save(image, f"in.{extension}", **options)
    with Image.open(source) as image:
        expected = str(imagehash.phash(image))
    description = describe(source, Limits())
    assert description.phash == expected
    assert description.orientation == (6 if options else 1)


@pytest.mark.filterwarnings("default")
def test_a_palette_with_soft_transparency_hashes_silently(save: Save) -> None:
    image = Image.radial_gradient("L").convert("P")
    source = save(image, "in.png", transparency=bytes(range(256)))
    with Image.open(source) as stored, pytest.warns(UserWarning, match="Palette images"):
        expected = str(imagehash.phash(stored))
    description = describe(source, Limits())
    assert (description.phash, description.mode, description.has_alpha) == (expected, "P", True)


@pytest.mark.parametrize(
    "digits", ["0000000000000000", "7fffffffffffffff", "8000000000000000", "c2924c5532bddfc8"]
)
def test_a_hash_fits_a_signed_column_and_comes_back(digits: str) -> None:
    assert -(2**63) <= signed64(digits) < 2**63
    assert hex64(signed64(digits)) == digits
