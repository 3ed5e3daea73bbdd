"""Metadata in results: EXIF, XMP and IPTC are removed or copied."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from libs.imaging.formats import WRITTEN_FORMATS, WrittenName
from libs.imaging.operations import Convert, Metadata, Sepia
from tests.imaging.conftest import Run, Save

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">SECRET xmp</x:xmpmeta>'
METADATA_KINDS = {
    "jpeg": ["description", "place", "xmp", "comment"],
    "png": ["description", "place", "xmp", "comment"],
    "webp": ["description", "place", "xmp"],
    "avif": ["description", "place", "xmp"],
    "tiff": ["description", "place", "xmp"],
    "gif": ["xmp", "comment"],
    "jxl": ["description", "place", "xmp"],
}


def _with_all_metadata(save: Save, name: str) -> Path:
    """Write a file with all metadata that its format supports."""
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
    if name == "jxl":
        options["exif"] = exif.tobytes()
    source = save(Image.new("RGB", (32, 24)), f"in.{name}", **options)
    if (
        name == "gif"
    ):  # Pillow writes no XMP into a GIF: append an application extension with its magic trailer
        block = b"\x21\xff\x0bXMP DataXMP" + XMP + b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
        source.write_bytes(source.read_bytes().removesuffix(b";") + block + b";")
    return source


@pytest.mark.parametrize("name", METADATA_KINDS)
@pytest.mark.parametrize("target", WRITTEN_FORMATS)
def test_no_metadata_is_left(name: str, target: WrittenName, save: Save, run: Run) -> None:
    source = _with_all_metadata(save, name)
    for kind in METADATA_KINDS[name]:
        assert f"SECRET {kind}".encode() in source.read_bytes()
    facts, image = run(source, Convert(format=target))
    assert b"SECRET" not in Path(str(image.filename)).read_bytes()  # pyright: ignore
    assert not image.getexif().get_ifd(0x8825)
    if target == "jxl":  # the decoder makes a profile of the colours in the header
        del image.info["icc_profile"]
    assert not {"exif", "comment", "xmp", "icc_profile", "Comment"} & set(image.info)
    assert facts.format == target


def _with_camera_metadata(save: Save, name: WrittenName) -> Path:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Maker", "Model", 6
    exif[0x013B], exif[0x8298] = "Ann Artist", "(c) Ann"
    exif.get_ifd(0x8825)[1] = "N"
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF tiff:Orientation="6">WORDS</rdf:RDF></x:xmpmeta>'
    options: dict[str, Any] = {"exif": exif, "xmp": xmp}
    if name == "png":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())
    if name == "tiff":
        options["exif"] = Image.Exif()
        options["exif"].load(exif.tobytes())
        options["exif"][700] = options.pop("xmp")
    return save(Image.new("RGB", (40, 20), "teal"), f"in.{name}", **options)


@pytest.mark.parametrize("before", ["jpeg", "png", "webp", "avif", "tiff"])
@pytest.mark.parametrize("after", ["jpeg", "png", "webp", "avif", "tiff"])
def test_metadata_is_copied_with_an_upright_orientation(
    before: WrittenName, after: Any, save: Save, run: Run
) -> None:
    source = _with_camera_metadata(save, before)
    _, image = run(source, Metadata(mode="keep"), Convert(format=after))
    exif = image.getexif()
    assert (exif[0x010F], exif[0x8298], exif.get(0x0112, 1)) == ("Maker", "(c) Ann", 1)
    assert dict(exif.get_ifd(0x8825)) == {1: "N"}
    data = Path(str(image.filename)).read_bytes()  # pyright: ignore
    assert b"WORDS" in data
    assert b'Orientation="6"' not in data
    assert image.size == (20, 40)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "avif", "tiff"])
def test_keep_copyright_copies_only_artist_and_copyright(name: WrittenName, save: Save, run: Run) -> None:
    _, image = run(_with_camera_metadata(save, name), Metadata(mode="keep_copyright"), Sepia())
    exif = image.getexif()
    assert (exif.get(0x013B), exif.get(0x8298), exif.get(0x010F)) == ("Ann Artist", "(c) Ann", None)
    assert not exif.get_ifd(0x8825)
    assert b"WORDS" not in Path(str(image.filename)).read_bytes()  # pyright: ignore


def test_iptc_is_copied(save: Save, run: Run) -> None:
    records = b"\x1c\x02\x74\x00\x07(c) Bob"
    block = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(records).to_bytes(4, "big") + records
    app13 = b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block
    source = save(Image.new("RGB", (20, 20)), "in.jpg", extra=app13)
    for name in ("jpeg", "tiff"):
        _, image = run(source, Metadata(mode="keep"), Convert(format=name))
        assert b"(c) Bob" in Path(str(image.filename)).read_bytes()  # pyright: ignore
