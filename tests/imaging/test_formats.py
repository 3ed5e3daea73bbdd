"""Every format against every pixel layout, and what becomes of colours and metadata."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.operations import Compress, Convert, Resize
from tests.imaging.conftest import Run, Save
from tests.imaging.float_reference import to_srgb

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


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("mode", MODES)
def test_every_pixel_layout_is_written_in_every_format(
    name: FormatName, mode: str, save: Save, run: Run
) -> None:
    facts, image = run(save(_orange(mode), "in.png"), Convert(format=name))
    assert (facts.format, facts.mime, image.format) == (name, FORMATS[name].mime, FORMATS[name].pillow)
    if mode in {"1", "I;16"}:
        expected = (255,) * 3 if mode == "1" else (0x80,) * 3
    else:
        expected = (147,) * 3 if mode in {"L", "LA"} else ORANGE
    assert np.abs(np.subtract(_colour(image), expected)).max() <= 6


@pytest.mark.parametrize("name", FORMATS)
def test_without_convert_the_format_stays(name: FormatName, save: Save, run: Run) -> None:
    known = FORMATS[name]
    facts, _ = run(save(Image.new("RGB", (32, 24), ORANGE), f"in.{known.extension}"), Resize(width=16))
    assert (facts.format, facts.extension, facts.width, facts.height) == (name, known.extension, 16, 12)


@pytest.mark.parametrize("name", ["jpeg", "bmp"])
def test_what_is_clear_becomes_white_or_the_background(name: FormatName, save: Save, run: Run) -> None:
    source = save(Image.new("RGBA", (32, 24), (0, 0, 0, 0)), "in.png")
    assert _colour(run(source, Convert(format=name))[1]) == (255, 255, 255)
    assert _colour(run(source, Convert(format=name, background="transparent"))[1]) == (255, 255, 255)
    red = _colour(run(source, Convert(format=name, background="red"))[1])
    assert np.abs(np.subtract(red, (255, 0, 0))).max() <= 2


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "I;16"])
def test_a_png_that_names_one_clear_colour_is_clear_there(mode: str, save: Save, run: Run) -> None:
    image = _orange(mode)
    clear = {"L": 147, "RGB": ORANGE, "P": image.getpixel((0, 0)), "I;16": 0x8040}[mode]
    source = save(image, "in.png", transparency=clear)
    assert run(source)[1].convert("RGBA").getchannel("A").getextrema() == (0, 0)


@pytest.mark.parametrize("name", ["png", "webp", "gif", "avif", "tiff"])
def test_transparency_is_kept_where_the_format_has_it(name: FormatName, save: Save, run: Run) -> None:
    half = Image.new("RGBA", (32, 24), (0, 0, 0, 0))
    half.paste((*ORANGE, 255), (16, 0, 32, 24))
    alpha = np.asarray(run(save(half, "in.png"), Convert(format=name))[1].convert("RGBA"))[..., 3]
    assert alpha[:, :12].max() <= 3
    assert alpha[:, 20:].min() >= 252


def test_a_cmyk_jpeg_has_its_colours_with_and_without_adobes_marker(save: Save, run: Run) -> None:
    adobe = save(Image.new("CMYK", (32, 24), (0, 255, 255, 0)), "adobe.jpg")
    data = adobe.read_bytes()
    at = data.index(b"\xff\xee")
    plain = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    assert np.abs(np.subtract(_colour(run(adobe)[1]), (255, 0, 0))).max() <= 4
    # Without the marker the stored bytes are taken as they are: the ink is the inverse.
    assert np.abs(np.subtract(_colour(run(save(plain, "plain.jpg"))[1]), (0, 0, 0))).max() <= 4


def test_an_embedded_profile_becomes_srgb_and_is_dropped(photos: Path, run: Run) -> None:
    with Image.open(photos / "rocket.jpg") as image:
        expected = to_srgb(image, image.info["icc_profile"])
    _, result = run(photos / "rocket.jpg", Convert(format="png"))
    assert np.array_equal(np.asarray(result), np.asarray(expected))
    assert "icc_profile" not in result.info


def test_a_damaged_profile_is_ignored(save: Save, run: Run) -> None:
    source = save(Image.new("RGB", (32, 24), ORANGE), "in.png", icc_profile=b"nonsense" * 30)
    assert _colour(run(source)[1]) == ORANGE


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">SECRET xmp</x:xmpmeta>'
TOLD = {
    "jpeg": ["description", "place", "xmp", "comment"],
    "png": ["description", "place", "xmp", "comment"],
    "webp": ["description", "place", "xmp"],
    "avif": ["description", "place", "xmp"],
    "tiff": ["description", "place", "xmp"],
    "gif": ["xmp", "comment"],
}


def _telling(save: Save, name: str) -> Path:
    """A file that tells all that its format can."""
    exif = Image.Exif()
    exif[0x010E] = "SECRET description"
    exif.get_ifd(0x8825)[0x001B] = b"SECRET place"
    options: dict[str, Any] = {"exif": exif, "xmp": XMP, "comment": b"SECRET comment", "dpi": (7, 7)}
    if name == "png":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
        options["pnginfo"].add_text("Comment", "SECRET comment")
    if name == "tiff":
        options["exif"] = Image.Exif()
        options["exif"].load(exif.tobytes())
        options["exif"][700] = options.pop("xmp")
    source = save(Image.new("RGB", (32, 24)), f"in.{name}", **options)
    if name == "gif":  # which Pillow gives no XMP: an application extension, and a trailer to skip it by
        block = b"\x21\xff\x0bXMP DataXMP" + XMP + b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
        source.write_bytes(source.read_bytes().removesuffix(b";") + block + b";")
    return source


@pytest.mark.parametrize("name", TOLD)
@pytest.mark.parametrize("target", FORMATS)
def test_no_metadata_is_left(name: str, target: FormatName, save: Save, run: Run) -> None:
    source = _telling(save, name)
    for told in TOLD[name]:
        assert f"SECRET {told}".encode() in source.read_bytes()
    facts, image = run(source, Convert(format=target))
    assert b"SECRET" not in Path(str(image.filename)).read_bytes()  # pyright: ignore
    assert not image.getexif().get_ifd(0x8825)
    assert not {"exif", "comment", "xmp", "icc_profile", "Comment"} & set(image.info)
    assert facts.format == target


@pytest.mark.parametrize("name", FORMATS)
def test_compress_makes_a_photograph_smaller(name: FormatName, photos: Path, save: Save, run: Run) -> None:
    with Image.open(photos / "astronaut.png") as image:
        source = save(image, f"in.{FORMATS[name].extension}")
    small, best = (run(source, Compress(quality=quality))[0] for quality in (30, 90))
    assert small.size_bytes < best.size_bytes
    assert small.format == best.format == ("jpeg" if name in {"tiff", "bmp"} else name)


def test_the_quality_of_compress_outlives_a_convert(photos: Path, run: Run) -> None:
    source = photos / "astronaut.png"
    both = run(source, Compress(quality=20), Convert(format="jpeg"))[0]
    assert both.md5 == run(source, Convert(format="jpeg", quality=20))[0].md5
