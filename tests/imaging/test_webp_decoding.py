"""Still WebPs are decoded directly, with the results of Pillow: pixels, metadata and errors."""

import random
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, WebPImagePlugin

from libs.imaging.pillow_adapter import open_image
from libs.imaging.samples import webp_reader
from tests.imaging.animation_files import WebpFrame, webp

KINDS: dict[str, dict[str, Any]] = {
    "lossy": {"quality": 60},
    "lossless": {"lossless": True},
    "exact": {"lossless": True, "exact": True},
    "lossy with lossy alpha": {"quality": 40, "alpha_quality": 30},
}
EXTRAS = {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0", "icc_profile": b"a profile", "xmp": b"<x:xmpmeta/>"}


def encoded(photos: Path, mode: str, size: tuple[int, int], **options: Any) -> bytes:
    with Image.open(photos / "coffee.png") as image:
        photo = image.convert("RGB").resize(size)
    if mode == "RGBA":
        photo.putalpha(Image.linear_gradient("L").resize(size))
    with BytesIO() as file:
        photo.save(file, "WEBP", **options)
        return file.getvalue()


def opened(data: bytes, reader: type[Image.Image]) -> tuple[Any, ...]:
    with reader(BytesIO(data)) as image:  # type: ignore[call-arg]
        image.load()
        image.load()  # which changes nothing
        return image.mode, image.size, image.info, image.tobytes()


@pytest.mark.parametrize("size", [(1, 1), (16, 9), (301, 97)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("extras", [{}, EXTRAS])
def test_pixels_and_metadata_are_those_of_pillow(
    photos: Path, size: tuple[int, int], mode: str, kind: str, extras: dict[str, bytes]
) -> None:
    data = encoded(photos, mode, size, **KINDS[kind], **extras)
    found = opened(data, webp_reader.WebpReader)
    assert found == opened(data, WebPImagePlugin.WebPImageFile)
    assert found[0] == mode


@pytest.mark.parametrize("box", [(8, 6, 0, 0), (4, 2, 2, 4)])
@pytest.mark.parametrize("alpha_flag", [True, False])
def test_an_animation_of_one_frame_is_left_to_pillow(
    box: tuple[int, int, int, int], alpha_flag: bool
) -> None:
    width, height, left, top = box
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 4), dtype=np.uint8)
    data = webp((8, 6), [WebpFrame(pixels, left=left, top=top)], alpha_flag=alpha_flag)
    assert opened(data, webp_reader.WebpReader) == opened(data, WebPImagePlugin.WebPImageFile)


@pytest.mark.parametrize("kind", ["lossy", "lossless"])
def test_damaged_files_end_as_with_pillow(photos: Path, kind: str) -> None:
    data = encoded(photos, "RGBA", (120, 80), **KINDS[kind])
    source = random.Random(kind)  # noqa: S311
    ends = set[str]()
    for _ in range(100):
        damaged = bytearray(data)
        for _ in range(3):
            damaged[source.randrange(20, len(data))] = source.randrange(256)
        found = outcome(bytes(damaged), webp_reader.WebpReader)
        assert found == outcome(bytes(damaged), WebPImagePlugin.WebPImageFile)
        ends.add(type(found).__name__)
    assert ends == {"str", "tuple"}  # some raise an error, some have other pixels


def outcome(data: bytes, reader: type[Image.Image]) -> object:
    try:
        return opened(data, reader)
    except (EOFError, OSError) as error:
        return repr(error)


def test_a_still_image_is_decoded_directly(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("Pillow decodes it")

    monkeypatch.setattr(WebPImagePlugin.WebPImageFile, "_get_next", refuse)
    with open_image(BytesIO(encoded(photos, "RGB", (301, 97))), "webp") as image:
        image.load()
        assert image.getbbox() == (0, 0, 301, 97)
