"""Fixtures: pictures to upload."""

import struct
import zlib
from importlib import import_module
from io import BytesIO
from pathlib import Path

import pytest
import skimage
from PIL import Image

import_module("pillow_jxl")  # registers JPEG XL with Pillow

PHOTOS = Path(skimage.__file__).parent / "data"


@pytest.fixture(scope="session")
def photo() -> Path:
    """Return a photograph: JPEG, 640 x 427."""
    return PHOTOS / "rocket.jpg"


@pytest.fixture(scope="session")
def photos() -> Path:
    """Return the folder of photographs."""
    return PHOTOS


@pytest.fixture(scope="session")
def large_photo(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a photograph of nine megapixels."""
    path = tmp_path_factory.mktemp("large") / "large.jpg"
    with Image.open(photos / "retina.jpg") as image:
        image.convert("RGB").resize((3000, 3000)).save(path, quality=90)
    return path


@pytest.fixture(scope="session")
def small_picture() -> bytes:
    """Return a small picture: PNG, 40 x 30."""
    return encoded(Image.linear_gradient("L").resize((40, 30)).convert("RGB"), "PNG")


@pytest.fixture(scope="session")
def cut_photo(photo: Path) -> bytes:
    """Return a photograph whose second half is missing."""
    data = photo.read_bytes()
    return data[: len(data) // 2]


@pytest.fixture(scope="session")
def slow_picture() -> bytes:
    """Return a picture that takes a while to work on: JPEG, 5000 x 4000."""
    return encoded(Image.linear_gradient("L").resize((5000, 4000)).convert("RGB"), "JPEG")


@pytest.fixture(scope="session")
def bomb() -> bytes:
    """Return a PNG of 20,000 x 20,000 in less than 50 kB."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(20_000 * 2501), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def encoded(image: Image.Image, format_name: str, **options: object) -> bytes:
    """Return the picture as a file."""
    file = BytesIO()
    image.save(file, format_name, **options)
    return file.getvalue()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
