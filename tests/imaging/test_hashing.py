"""Perceptual hashes equal those of the imagehash library; digests are those of the bytes."""

import hashlib
from pathlib import Path

import imagehash
import pytest
from PIL import Image

from libs.imaging.describe import describe
from libs.imaging.hashing import distance, file_digests, hex64, signed64
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
def test_all_hashes_equal_those_of_imagehash(photo: str, photos: Path) -> None:
    description = describe(photos / photo, Limits())
    with Image.open(photos / photo) as image:
        image.load()
        assert description.phash == str(imagehash.phash(image))
        assert description.dhash == str(imagehash.dhash(image))
        assert description.average_hash == str(imagehash.average_hash(image))
        assert description.colorhash == str(imagehash.colorhash(image))


@pytest.mark.parametrize("extension", ["jpg", "webp", "avif", "gif", "bmp", "tiff"])
def test_hashes_are_those_of_the_stored_pixels(extension: str, photos: Path, save: Save) -> None:
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
def test_a_palette_with_soft_transparency_is_hashed_without_warnings(save: Save) -> None:
    image = Image.radial_gradient("L").convert("P")
    source = save(image, "in.png", transparency=bytes(range(256)))
    with Image.open(source) as stored, pytest.warns(UserWarning, match="Palette images"):
        expected = str(imagehash.phash(stored))
    description = describe(source, Limits())
    assert (description.phash, description.mode, description.has_alpha) == (expected, "P", True)


@pytest.mark.parametrize(
    "digits", ["0000000000000000", "7fffffffffffffff", "8000000000000000", "c2924c5532bddfc8"]
)
def test_a_hash_converts_to_a_signed_64_bit_value_and_back(digits: str) -> None:
    assert -(2**63) <= signed64(digits) < 2**63
    assert hex64(signed64(digits)) == digits


def test_digests_are_those_of_the_file(photos: Path) -> None:
    data = (photos / "rocket.jpg").read_bytes()
    digests = file_digests(photos / "rocket.jpg")
    assert digests.md5 == hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert digests.sha256 == hashlib.sha256(data).hexdigest()


def test_distance_counts_bits() -> None:
    assert distance("ff00", "ff00") == 0
    assert distance("ff01", "0f00") == 5
