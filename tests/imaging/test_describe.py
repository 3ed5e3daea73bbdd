"""What is told of a file: hashes, placeholder, EXIF, IPTC, XMP; and what malformed metadata does."""

import hashlib
import math
from pathlib import Path
from typing import Any

import imagehash
import msgspec
import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

from libs.imaging.blurhash import blurhash
from libs.imaging.describe import describe
from libs.imaging.dominant_colours import dominant_colours
from libs.imaging.exif_iptc import Camera, Caption, Place
from libs.imaging.hashing import distance, file_digests
from libs.imaging.limits import Limits
from tests.imaging.conftest import Save
from tests.imaging.float_reference import gaussian

PHOTOS = ["astronaut.png", "camera.png", "coffee.png", "rocket.jpg", "logo.png", "no_time_for_that_tiny.gif"]


@pytest.mark.parametrize("photo", PHOTOS)
def test_all_hashes_equal_those_of_imagehash(photo: str, photos: Path) -> None:
    found = describe(photos / photo, Limits())
    with Image.open(photos / photo) as image:
        image.load()
        assert found.phash == str(imagehash.phash(image))
        assert found.dhash == str(imagehash.dhash(image))
        assert found.average_hash == str(imagehash.average_hash(image))
        assert found.colorhash == str(imagehash.colorhash(image))


def test_a_digest_is_that_of_the_bytes(photos: Path) -> None:
    data = (photos / "rocket.jpg").read_bytes()
    found = file_digests(photos / "rocket.jpg")
    assert found.md5 == hashlib.md5(data, usedforsecurity=False).hexdigest()
    assert found.sha256 == hashlib.sha256(data).hexdigest()


def test_distance_counts_bits() -> None:
    assert distance("ff00", "ff00") == 0
    assert distance("ff01", "0f00") == 5


def _rich(save: Save, **changes: Any) -> Path:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112], exif[0x013B] = "Maker\0", "Model", 6, "Ann"
    own, gps = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    own.update({0x829A: IFDRational(1, 250), 0x829D: 2.8, 0x8827: 400, 0x920A: 35.0, 0xA405: 52, 0x9209: 25})
    own.update({0xA434: "Lens 35mm", 0x9003: "2024:02:29 12:34:56", 0x9011: "+05:30"})
    gps.update({1: "S", 2: (33.0, 51.0, 31.2), 3: "E", 4: (151.0, 12.0, 50.4), 5: b"\0", 6: 12.5})
    exif.get_ifd(0x8769).update(changes.pop("own", {}))
    exif.get_ifd(0x8825).update(changes.pop("gps", {}))
    return save(Image.new("RGB", (40, 30), "teal"), "in.jpg", exif=exif, **changes)


def test_exif_is_typed(save: Save) -> None:
    found = describe(_rich(save), Limits())
    assert found.exif == Camera(
        make="Maker",
        model="Model",
        lens="Lens 35mm",
        exposure_s=0.004,
        f_number=2.8,
        iso=400,
        focal_length_mm=35.0,
        focal_length_35mm=52,
        flash=True,
        taken_at="2024-02-29T12:34:56+05:30",
        artist="Ann",
        gps=Place(latitude=-33.8586667, longitude=151.214, altitude_m=12.5),
    )
    assert (found.orientation, found.metadata_error) == (6, None)
    assert msgspec.json.decode(msgspec.json.encode(found))["exif"]["gps"]["latitude"] == -33.8586667


@pytest.mark.parametrize(
    ("changes", "field", "error"),
    [
        ({"own": {0x829A: IFDRational(1, 0)}}, "exposure_s", "exposure is malformed"),
        ({"own": {0x9003: "yesterday"}}, "taken_at", "time is malformed"),
        ({"own": {0x9003: "    :  :     :  :  "}}, "taken_at", None),
        ({"gps": {2: (933.0, 0.0, 0.0)}}, "gps", "position is malformed"),
        ({"gps": {2: (33.0,)}}, "gps", "position is malformed"),
        ({"own": {0x8827: "fast"}}, "iso", "iso is malformed"),
    ],
)
def test_a_malformed_tag_is_told_and_spoils_nothing_else(
    changes: dict[str, Any], field: str, error: str | None, save: Save
) -> None:
    found = describe(_rich(save, **changes), Limits())
    assert found.exif
    assert getattr(found.exif, field) is None
    assert found.exif.make == "Maker"
    assert found.metadata_error == error


@pytest.mark.parametrize(
    "garbage", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\x7f", b"Exif\0\0MM\0*" + b"\xff" * 99]
)
def test_damaged_exif_never_fails_an_image(garbage: bytes, save: Save) -> None:
    found = describe(save(Image.new("RGB", (40, 30)), "in.jpg", exif=garbage), Limits())
    assert (found.exif, found.orientation, found.width) == (None, 1, 40)
    assert found.metadata_error


def test_iptc_and_xmp_are_told(save: Save) -> None:
    def record(number: int, text: bytes) -> bytes:
        return b"\x1c\x02" + bytes([number]) + len(text).to_bytes(2, "big") + text

    records = record(5, b"Title") + record(25, b"one") + record(25, "zwö".encode()) + record(116, b"(c)")
    records += b"\0" * (len(records) % 2)
    block = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(records).to_bytes(4, "big") + records
    app13 = b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block
    found = describe(save(Image.new("RGB", (9, 9)), "in.jpg", extra=app13, xmp=b"<x/>"), Limits())
    assert found.iptc == Caption(title="Title", keywords=("one", "zwö"), copyright="(c)")
    assert found.xmp == "<x/>"


def test_the_rest_is_told(save: Save) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()  # pyright: ignore
    source = save(Image.new("RGBA", (40, 30), (255, 0, 0, 9)), "in.png", icc_profile=profile, dpi=(300, 300))
    found = describe(source, Limits())
    assert (found.format, found.mime, found.width, found.height) == ("png", "image/png", 40, 30)
    assert (found.mode, found.has_alpha, found.profile) == ("RGBA", True, "sRGB built-in")
    assert found.dpi == (300, 300)
    assert (found.frames, found.duration_ms, found.size_bytes) == (1, None, source.stat().st_size)


@pytest.mark.parametrize("extension", ["gif", "png", "webp", "avif"])
def test_an_animation_tells_its_duration(extension: str, save: Save) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "lime", "blue")]
    options = {"save_all": True, "append_images": frames[1:], "duration": [100, 250, 400]}
    found = describe(save(frames[0], f"in.{extension}", **options), Limits())
    assert (found.frames, found.duration_ms) == (3, 750)


def _decoded(text: str, width: int, height: int) -> Any:
    """Draw a BlurHash, as the published algorithm says."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

    def number(part: str) -> int:
        value = 0
        for letter in part:
            value = value * 83 + digits.index(letter)
        return value

    across, down = number(text[0]) % 9 + 1, number(text[0]) // 9 + 1
    greatest = (number(text[1]) + 1) / 166
    mean = number(text[2:6])
    bytes_ = np.array([mean >> 16, mean >> 8 & 255, mean & 255]) / 255
    factors = [np.where(bytes_ <= 0.04045, bytes_ / 12.92, ((bytes_ + 0.055) / 1.055) ** 2.4)]
    for at in range(6, len(text), 2):
        value = number(text[at : at + 2])
        parts = np.array([value // 361, value // 19 % 19, value % 19]) - 9
        factors.append(np.sign(parts) * (parts / 9) ** 2 * greatest)
    rows, columns = np.arange(height) + 0.0, np.arange(width) + 0.0
    total: Any = np.zeros((height, width, 3))
    for index, factor in enumerate(factors):
        y, x = divmod(index, across)
        basis = np.outer(np.cos(math.pi * y * rows / height), np.cos(math.pi * x * columns / width))
        total = total + basis[..., None] * factor
    assert len(factors) == across * down
    total = np.clip(total, 0, 1)
    return 255 * np.where(total <= 0.0031308, total * 12.92, 1.055 * total ** (1 / 2.4) - 0.055)  # pyright: ignore


@pytest.mark.parametrize("photo", ["astronaut.png", "coffee.png", "chelsea.png"])
def test_a_blurhash_draws_something_like_the_image(photo: str, photos: Path) -> None:
    with Image.open(photos / photo) as image:
        text = blurhash(image)
        small = np.asarray(image.convert("RGB").resize((32, 32), Image.Resampling.BOX), dtype=float)
    assert len(text) == 28
    drawn = _decoded(text, 32, 32)
    assert np.corrcoef(drawn.ravel(), gaussian(small, 4).ravel())[0, 1] > 0.85
    assert (
        np.abs(drawn.mean(axis=(0, 1)) - small.mean(axis=(0, 1))).max() < 30
    )  # its mean is that of light, not of values


def test_main_colours_come_most_frequent_first() -> None:
    image = Image.new("RGBA", (100, 100), (255, 0, 0, 255))
    image.paste((0, 0, 255, 255), (0, 0, 30, 100))
    image.paste((0, 255, 0, 0), (90, 0, 100, 100))
    assert dominant_colours(image)[:2] == ("#ff0000", "#0000ff")
    assert dominant_colours(Image.new("RGBA", (5, 5))) == ()
    assert dominant_colours(Image.new("RGB", (5, 5), "#102030")) == ("#102030",)
