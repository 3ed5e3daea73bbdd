"""Where the orientation comes from: EXIF in any format, boxes in AVIF, never XMP."""

import zlib
from io import BytesIO

import numpy as np
import pytest
import pyvips
from PIL import Image, PngImagePlugin, TiffImagePlugin

from libs.imaging.describe import describe
from libs.imaging.limits import Limits
from libs.imaging.operations import Convert, Frames, Metadata
from tests.imaging.conftest import Run, Save

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
ORIENTATION, RESOLUTION_UNIT = 0x0112, 0x0128
SIZE = (48, 32)


def flag(size: tuple[int, int] = SIZE) -> Image.Image:
    """Return a picture whose quarters have four colours."""
    image = Image.new("RGB", size, "white")
    across, down = size[0] // 2, size[1] // 2
    for colour, at in (("red", (0, 0)), ("blue", (across, 0)), ("lime", (0, down))):
        image.paste(colour, (*at, at[0] + across, at[1] + down))
    return image


def quarters(image: Image.Image) -> list[tuple[int, ...]]:
    """Return the colours of the middles of the quarters, each channel as 0 or 1."""
    pixels = np.asarray(image.convert("RGB"))
    height, width = pixels.shape[:2]
    places = [(y, x) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    return [tuple(int(value > 127) for value in pixels[place]) for place in places]


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def xmp_options(extension: str) -> dict[str, object]:
    match extension:
        case "png":
            text = PngImagePlugin.PngInfo()
            text.add_itxt("XML:com.adobe.xmp", XMP.decode())
            return {"pnginfo": text}
        case "tiff":
            return {"tiffinfo": {700: XMP}}
        case _:
            return {"xmp": XMP}


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "avif", "tiff"])
def test_an_orientation_in_xmp_alone_turns_nothing(extension: str, save: Save, run: Run) -> None:
    source = save(flag(), f"in.{extension}", **xmp_options(extension))
    description = describe(source, Limits())
    assert description.orientation == 1
    assert description.xmp is not None
    assert "Orientation" in description.xmp
    _, image = run(source, Metadata(mode="keep"), Convert(format="png"))
    assert quarters(image) == quarters(flag())
    assert describe(save(flag(), f"plain.{extension}"), Limits()).phash == description.phash


def test_an_orientation_in_xmp_of_a_later_page_turns_nothing(save: Save, run: Run) -> None:
    first, second = flag((20, 20)), flag()
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[700] = XMP
    second.encoderinfo = {"tiffinfo": tags}
    source = save(first, "in.tiff", save_all=True, append_images=[second])
    _, image = run(source, Frames(frame=1), Convert(format="png"))
    assert (image.size, quarters(image)) == (SIZE, quarters(second))


def test_exif_decides_where_xmp_says_something_else(save: Save, run: Run) -> None:
    source = save(flag(), "in.jpg", exif=exif_of(3), xmp=XMP, quality=95, subsampling=0)
    assert describe(source, Limits()).orientation == 3
    _, image = run(source, Convert(format="png"))
    assert quarters(image) == quarters(flag().rotate(180))


def test_exif_in_a_text_chunk_of_a_png_turns_it(save: Save, run: Run) -> None:
    block = exif_of(3).tobytes()
    lines = [block.hex()[at : at + 72] for at in range(0, 2 * len(block), 72)]
    raw = "\n".join(["", "exif", f"{len(block):8}", *lines, ""])
    text = PngImagePlugin.PngInfo()
    text.add_text("Raw profile type exif", raw, zip=True)
    source = save(flag(), "in.png", pnginfo=text)
    assert describe(source, Limits()).orientation == 3
    _, image = run(source, Convert(format="png"))
    assert quarters(image) == quarters(flag().rotate(180))


def test_an_exif_chunk_behind_the_pixels_of_a_png_turns_it(save: Save, run: Run) -> None:
    png = save(flag(), "plain.png").read_bytes()
    block = b"eXIf" + exif_of(3).tobytes().removeprefix(b"Exif\0\0")
    chunk = (len(block) - 4).to_bytes(4, "big") + block + zlib.crc32(block).to_bytes(4, "big")
    source = save(png[:-12] + chunk + png[-12:], "in.png")
    assert describe(source, Limits()).orientation == 3
    _, image = run(source, Convert(format="png"))
    assert quarters(image) == quarters(flag().rotate(180))


def avif(orientation: int) -> bytearray:
    file = BytesIO()
    flag().save(file, "AVIF", exif=exif_of(orientation), quality=95)
    return bytearray(file.getvalue())


def libvips_shows(data: bytes) -> list[tuple[int, ...]]:
    """Return the quarters as libheif decodes them, which obeys the boxes."""
    decoded = pyvips.Image.new_from_buffer(data, "")
    return quarters(Image.fromarray(decoded.numpy()[..., :3]))


def test_the_boxes_of_an_avif_turn_it(save: Save, run: Run) -> None:
    shown: set[tuple[tuple[int, ...], ...]] = set()
    for angle in range(4):
        for axis in range(2):
            data = avif(5)  # Pillow writes both boxes
            data[data.index(b"irot") + 4], data[data.index(b"imir") + 4] = angle, axis
            _, image = run(save(bytes(data), "in.avif"), Convert(format="png"))
            assert quarters(image) == libvips_shows(bytes(data)), (angle, axis)
            shown.add(tuple(quarters(image)))
    assert len(shown) == 4  # these two boxes together always mirror; one alone, below
    for orientation in (2, 3, 4, 6, 8):
        data = avif(orientation)
        _, image = run(save(bytes(data), "in.avif"), Convert(format="png"))
        assert quarters(image) == libvips_shows(bytes(data)), orientation


def test_the_exif_orientation_of_an_avif_only_informs(save: Save, run: Run) -> None:
    """ISO/IEC 23008-12 makes the boxes decide; libheif and browsers agree."""
    exif = Image.Exif()
    exif[RESOLUTION_UNIT] = 6  # Pillow would make boxes of an orientation
    file = BytesIO()
    flag().save(file, "AVIF", exif=exif, quality=95)
    data = bytes(file.getvalue()).replace(b"\x01\x28\x00\x03", b"\x01\x12\x00\x03")
    assert data != file.getvalue()
    source = save(data, "in.avif")
    _, image = run(source, Convert(format="png"))
    assert quarters(image) == quarters(flag()) == libvips_shows(data)
    assert describe(source, Limits()).orientation == 1


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "tiff"])
def test_an_orientation_that_means_nothing_turns_nothing(extension: str, save: Save, run: Run) -> None:
    for value in (0, 9, 255):
        source = save(flag(), f"in.{extension}", exif=exif_of(value))
        assert describe(source, Limits()).orientation == 1
        _, image = run(source, Convert(format="png"))
        assert quarters(image) == quarters(flag())
