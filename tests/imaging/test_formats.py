"""Every format with every pixel mode, and transparency."""

import numpy as np
import pytest
from PIL import Image

from libs.imaging.formats import FORMATS, WRITTEN_FORMATS, WrittenName
from libs.imaging.operations import Convert, Resize
from tests.imaging.conftest import Run, Save

MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]
ORANGE = (240, 120, 40)


def _orange(mode: str) -> Image.Image:
    colour = Image.new("RGB", (32, 24), ORANGE)
    if mode == "I;16":
        return Image.fromarray(np.full((24, 32), 0x8040, dtype=np.uint16))
    if mode == "1":
        return Image.new("1", (32, 24), 1)
    if mode == "P":
        return colour.quantize(2)
    return colour.convert(mode)


def _colour(image: Image.Image) -> tuple[int, ...]:
    pixel = image.convert("RGB").getpixel((16, 12))
    assert isinstance(pixel, tuple)
    return tuple(int(channel) for channel in pixel)


def test_nine_formats_are_accepted_and_all_but_heic_are_written() -> None:
    assert set(FORMATS) == {"jpeg", "png", "webp", "gif", "avif", "tiff", "bmp", "heic", "jxl"}
    assert set(FORMATS) - set(WRITTEN_FORMATS) == {"heic"}


@pytest.mark.parametrize("name", WRITTEN_FORMATS)
@pytest.mark.parametrize("mode", MODES)
def test_every_pixel_mode_is_written_in_every_format(
    name: WrittenName, mode: str, save: Save, run: Run
) -> None:
    facts, image = run(save(_orange(mode), "in.png"), Convert(format=name))
    assert (facts.format, facts.mime, image.format) == (name, FORMATS[name].mime, FORMATS[name].pillow)
    if mode in {"1", "I;16"}:
        expected = (255,) * 3 if mode == "1" else (0x80,) * 3
    else:
        expected = (147,) * 3 if mode in {"L", "LA"} else ORANGE
    assert np.abs(np.subtract(_colour(image), expected)).max() <= 6


@pytest.mark.parametrize("name", WRITTEN_FORMATS)
def test_without_convert_the_format_stays(name: WrittenName, save: Save, run: Run) -> None:
    known = FORMATS[name]
    facts, _ = run(save(Image.new("RGB", (32, 24), ORANGE), f"in.{known.extension}"), Resize(width=16))
    assert (facts.format, facts.extension, facts.width, facts.height) == (name, known.extension, 16, 12)


@pytest.mark.parametrize("name", ["jpeg", "bmp"])
def test_transparency_becomes_white_or_the_background(name: WrittenName, save: Save, run: Run) -> None:
    source = save(Image.new("RGBA", (32, 24), (0, 0, 0, 0)), "in.png")
    assert _colour(run(source, Convert(format=name))[1]) == (255, 255, 255)
    assert _colour(run(source, Convert(format=name, background="transparent"))[1]) == (255, 255, 255)
    red = _colour(run(source, Convert(format=name, background="red"))[1])
    assert np.abs(np.subtract(red, (255, 0, 0))).max() <= 2


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "I;16"])
def test_the_transparent_colour_of_a_png_becomes_transparent(mode: str, save: Save, run: Run) -> None:
    image = _orange(mode)
    transparent = {"L": 147, "RGB": ORANGE, "P": image.getpixel((0, 0)), "I;16": 0x8040}[mode]
    source = save(image, "in.png", transparency=transparent)
    assert run(source)[1].convert("RGBA").getchannel("A").getextrema() == (0, 0)


@pytest.mark.parametrize("name", ["png", "webp", "gif", "avif", "tiff", "jxl"])
def test_transparency_is_kept_if_the_format_supports_it(name: WrittenName, save: Save, run: Run) -> None:
    half = Image.new("RGBA", (32, 24), (0, 0, 0, 0))
    half.paste((*ORANGE, 255), (16, 0, 32, 24))
    alpha = np.asarray(run(save(half, "in.png"), Convert(format=name))[1].convert("RGBA"))[..., 3]
    assert alpha[:, :12].max() <= 3
    assert alpha[:, 20:].min() >= 252


def test_a_cmyk_jpeg_keeps_its_colours_with_and_without_adobes_marker(save: Save, run: Run) -> None:
    adobe = save(Image.new("CMYK", (32, 24), (0, 255, 255, 0)), "adobe.jpg")
    data = adobe.read_bytes()
    at = data.index(b"\xff\xee")
    plain = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    assert np.abs(np.subtract(_colour(run(adobe)[1]), (255, 0, 0))).max() <= 4
    # Without the marker the stored bytes are taken as they are: the ink is the inverse.
    assert np.abs(np.subtract(_colour(run(save(plain, "plain.jpg"))[1]), (0, 0, 0))).max() <= 4
