"""Perceptual hashes equal those of the imagehash library; digests are those of the bytes."""

import hashlib
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageDraw

from libs.imaging.describe import describe
from libs.imaging.hashing import IMPORTED_LATE, distance, file_digests, hex64, signed64
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

STORED_AS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a camera stores an upright picture of each EXIF orientation."""


@pytest.mark.parametrize("photo", PHOTOS)
def test_all_hashes_equal_those_of_imagehash(photo: str, photos: Path) -> None:
    description = describe(photos / photo, Limits())
    with Image.open(photos / photo) as image:
        image.load()
        assert description.phash == str(imagehash.phash(image))
        assert description.dhash == str(imagehash.dhash(image))
        assert description.average_hash == str(imagehash.average_hash(image))
        assert description.colorhash == str(imagehash.colorhash(image))


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "avif", "tiff"])
def test_a_photo_and_its_turned_twin_have_the_same_hashes(extension: str, photos: Path, save: Save) -> None:
    with Image.open(photos / "coffee.png") as image:
        upright = image.resize((150, 100))
    first = describe(save(upright, f"upright.{extension}"), Limits())
    for orientation, transpose in STORED_AS.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        twin = describe(save(upright.transpose(transpose), f"twin.{extension}", exif=exif), Limits())
        assert twin.orientation == orientation
        for name, most in {"phash": 4, "dhash": 6, "average_hash": 4, "colorhash": 2}.items():
            bits = distance(getattr(first, name), getattr(twin, name))
            assert bits <= (0 if extension in {"png", "tiff"} else most), (orientation, name)
        if extension in {"png", "tiff"}:
            assert twin.blurhash == first.blurhash


def shape(kind: str, colour: tuple[int, int, int], ground: tuple[int, ...]) -> Image.Image:
    """Draw a shape on a ground, which is clear if it has an alpha of 0."""
    image = Image.new("RGBA", (64, 64), ground)
    draw = ImageDraw.Draw(image)
    opaque = (*colour, 255)
    match kind:
        case "disc":
            draw.ellipse((12, 12, 52, 52), fill=opaque)
        case "cross":
            draw.line((8, 8, 56, 56), fill=opaque, width=9)
            draw.line((8, 56, 56, 8), fill=opaque, width=9)
        case "bars":
            for left in (6, 26, 46):
                draw.rectangle((left, 6, left + 10, 58), fill=opaque)
        case _:
            draw.polygon([(32, 6), (58, 56), (6, 56)], fill=opaque)
    return image


def test_logos_on_clear_ground_differ_by_their_shapes_whatever_colour_is_hidden(save: Save) -> None:
    colours = {"black": (0, 0, 0), "white": (255, 255, 255), "grey": (128, 128, 128), "red": (200, 20, 20)}
    hidden = [(0, 0, 0, 0), (255, 255, 255, 0), (0, 200, 0, 0)]
    found: dict[str, list[str]] = {}
    for name, colour in colours.items():
        for kind in ("disc", "cross", "bars", "triangle"):
            described = [describe(save(shape(kind, colour, ground), "in.png"), Limits()) for ground in hidden]
            assert len({(one.phash, one.dhash, one.average_hash, one.colorhash) for one in described}) == 1
            assert len({(one.blurhash, one.colors) for one in described}) == 1
            assert described[0].colors == ("#" + bytes(colour).hex(),)
            found.setdefault(name, []).append(described[0].phash)
        for one, other in combinations(found[name], 2):
            assert distance(one, other) >= 8, (name, one, other)


def test_a_logo_has_the_same_hash_in_every_format_with_transparency(save: Save) -> None:
    for kind, colour in (("disc", (0, 0, 0)), ("cross", (255, 255, 255)), ("triangle", (20, 90, 30))):
        logo = shape(kind, colour, (7, 200, 7, 0))
        alpha = logo.getchannel("A")
        palette = Image.new("P", logo.size, 0)
        palette.putpalette([250, 0, 250, *colour])  # the clear colour comes first
        palette.paste(1, (0, 0), alpha)
        grey = Image.merge("LA", [Image.new("L", logo.size, colour[1]), alpha])
        deep = Image.fromarray(np.where(np.asarray(alpha) > 0, colour[1] * 256, 0xABCD).astype(np.uint16))
        files = {
            "png": save(logo, "rgba.png"),
            "palette": save(palette, "palette.png", transparency=0),
            "gif": save(palette, "palette.gif", transparency=0),
            "webp": save(logo, "rgba.webp", lossless=True, exact=True),
            "lossy": save(logo, "lossy.webp", quality=80),
            "avif": save(logo, "rgba.avif"),
            "tiff": save(logo, "rgba.tiff"),
            "grey": save(grey, "grey.png"),
            "key": save(deep, "deep.png", transparency=0xABCD),
        }
        hashes = {name: describe(path, Limits()).phash for name, path in files.items()}
        for name, phash in hashes.items():
            exact = name not in {"avif", "lossy"}
            assert distance(phash, hashes["png"]) <= (2 if exact else 10), (kind, name)


def test_an_image_without_any_visible_pixel_is_described(save: Save) -> None:
    described = [
        describe(save(Image.new("RGBA", (20, 10), (*colour, 0)), "in.png"), Limits())
        for colour in ((0, 0, 0), (255, 9, 0))
    ]
    assert described[0].phash == described[1].phash
    assert described[0].colorhash == described[1].colorhash
    assert described[0].colors == ()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_an_alpha_channel_that_is_opaque_changes_no_hash(mode: str, photos: Path, save: Save) -> None:
    with Image.open(photos / "chelsea.png") as image:
        source = save(image.convert("RGBA").convert(mode), "in.png" if mode != "PA" else "in.tiff")
    with Image.open(source) as stored:
        expected = str(imagehash.phash(stored)), str(imagehash.colorhash(stored.convert("RGB")))
    description = describe(source, Limits())
    assert (description.phash, description.colorhash) == expected


@pytest.mark.filterwarnings("error")
def test_a_palette_with_soft_transparency_is_hashed_over_grey_without_warnings(save: Save) -> None:
    image = Image.radial_gradient("L").convert("P")
    source = save(image, "in.png", transparency=bytes(range(256)))
    level = np.arange(256)
    over_grey = np.rint(level * (level / 255) + 128 * (1 - level / 255)).astype(np.uint8)
    expected = imagehash.phash(Image.fromarray(over_grey[np.asarray(Image.radial_gradient("L"))]))
    description = describe(source, Limits())
    assert distance(description.phash, str(expected)) <= 2
    assert (description.mode, description.has_alpha) == ("P", True)


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


def test_the_first_hash_imports_nothing_but_what_is_named_as_late(photos: Path) -> None:
    program = f"""
import {", ".join(IMPORTED_LATE)}, sys
from PIL import Image
from libs.imaging.hashing import perceptual_hashes
with Image.open(sys.argv[1]) as image:
    image.load()
    before = set(sys.modules)
    perceptual_hashes(image)
print(*(set(sys.modules) - before))
"""
    command = [sys.executable, "-c", program, str(photos / "rocket.jpg")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == []
