"""EXIF in results has the source's bytes, apart from what became untrue."""

import struct
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from libs.imaging.describe import describe
from libs.imaging.formats import WrittenName
from libs.imaging.limits import Limits
from libs.imaging.operations import Compress, Convert, Crop, Metadata, Resize
from libs.imaging.pipeline import render
from tests.imaging.conftest import Save
from tests.imaging.rich_exif import Field, build, find_block, parse, rich_fields

FORMATS: tuple[WrittenName, ...] = ("jpeg", "png", "webp", "avif", "tiff", "jxl")
KEEP = Metadata(mode="keep")


def _jpeg(fields: list[Field], order: str = "<", **options: Any) -> bytes:
    buffer = BytesIO()
    exif = b"Exif\0\0" + build(fields, order).data
    Image.new("RGB", (32, 20), "teal").save(buffer, "JPEG", exif=exif, **options)
    return buffer.getvalue()


def _copied(source: Path, *operations: Any) -> set[Field]:
    """Render the source and return the fields of the result, without those of a TIFF's pixels."""
    target = source.with_name("result")
    render(source, target, operations, Limits())
    fields = parse(find_block(target.read_bytes()))
    pixels = {*range(254, 263), *range(273, 285), 317, 338, 339} - {274, 282, 283}
    return {field for field in fields if field.directory != "root" or field.number not in pixels}


def _short(number: int, value: int, order: str = "<", directory: str = "exif") -> Field:
    return Field(directory, number, 3, struct.pack(order + "H", value))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("before", FORMATS)
def test_every_tag_is_copied_with_its_bytes(before: WrittenName, order: str, save: Save) -> None:
    fields = rich_fields(order)
    source = save(_jpeg(fields, order), "source")
    if before != "jpeg":
        copy = source.with_name("copy")
        render(source, copy, [KEEP, Convert(format=before)], Limits())
        source = copy
    for after in FORMATS:
        assert _copied(source, KEEP, Convert(format=after)) == set(fields), after


@pytest.mark.parametrize("name", FORMATS)
def test_keep_copyright_keeps_the_bytes(name: WrittenName, save: Save) -> None:
    fields = rich_fields(">")
    expected = {field for field in fields if field.number in {0x013B, 0x8298}}
    source = save(_jpeg(fields, ">"), "source")
    assert _copied(source, Metadata(mode="keep_copyright"), Convert(format=name)) == expected


def test_a_tag_of_the_wrong_type_is_copied_and_affects_no_other(save: Save) -> None:
    fields = [field for field in rich_fields(">") if field.number != 0x010F]
    fields.append(Field("root", 0x010F, 5, b"TestCam\0"))  # the maker's name as a fraction
    source = save(_jpeg(fields, ">"), "source")
    assert _copied(source, KEEP) == set(fields)
    description = describe(source, Limits())
    assert description.exif
    assert (description.exif.make, description.exif.model) == (None, "X1")
    assert description.metadata_error == "make is malformed"


def test_sizes_and_colour_space_are_those_of_the_result(save: Save) -> None:
    sizes = [_short(0xA001, 65_535), _short(0xA002, 32), Field("exif", 0xA003, 4, struct.pack("<L", 20))]
    index = [Field("interoperability", 1, 2, b"R03\0")]
    profile = (ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))).tobytes()  # pyright: ignore
    profile = profile.replace(b"rXYZ", b"XXXX").replace(b"gXYZ", b"rXYZ").replace(b"XXXX", b"gXYZ")
    source = save(_jpeg([*sizes, *index], icc_profile=profile), "source")
    expected = {_short(0xA001, 1), _short(0xA002, 16), Field("exif", 0xA003, 4, struct.pack("<L", 10))}
    resized = Resize(width=16)
    assert _copied(source, KEEP, resized) == {*expected, Field("interoperability", 1, 2, b"R98\0")}
    expected = {sizes[0], *(field for field in expected if field.number != 0xA001), *index}
    assert _copied(source, Metadata(mode="keep", color="keep"), resized) == expected


def test_positions_in_the_picture_follow_a_resize_and_go_with_a_crop(save: Save) -> None:
    area = Field("exif", 0x9214, 3, struct.pack("<HHHH", 16, 10, 8, 6))
    resolution = Field("exif", 0xA20E, 5, struct.pack("<LL", 4000, 1))
    source = save(_jpeg([area, resolution, _short(0x8827, 100)]), "source")
    assert _copied(source, KEEP) == {area, resolution, _short(0x8827, 100)}
    assert _copied(source, KEEP, Resize(width=16)) == {
        Field("exif", 0x9214, 3, struct.pack("<HHHH", 8, 5, 4, 3)),
        Field("exif", 0xA20E, 5, struct.pack("<LL", 2000, 1)),
        _short(0x8827, 100),
    }
    assert _copied(source, KEEP, Crop(x=0, y=0, width=16, height=10)) == {_short(0x8827, 100)}


def test_how_pixels_were_stored_is_not_copied(save: Save) -> None:
    stored = [
        _short(0x0103, 6, directory="root"),
        _short(0x0213, 2, directory="root"),
        Field("exif", 0x9102, 5, bytes(8)),
    ]
    source = save(_jpeg([*stored, _short(0x4746, 5, directory="root")]), "source")
    rating = _short(0x4746, 5, directory="root")
    assert _copied(source, KEEP, Convert(format="webp")) == {rating}
    assert _copied(source, KEEP) == {rating, _short(0x0213, 1, directory="root")}


def test_a_turned_photo_exchanges_its_resolutions(save: Save) -> None:
    resolution = [Field("root", 0x011A, 5, struct.pack("<LL", 300, 1))]
    resolution += [Field("root", 0x011B, 5, struct.pack("<LL", 150, 1))]
    source = save(_jpeg([*resolution, _short(0x0112, 6, directory="root")]), "source")
    assert _copied(source, KEEP) == {
        _short(0x0112, 1, directory="root"),
        Field("root", 0x011A, 5, struct.pack("<LL", 150, 1)),
        Field("root", 0x011B, 5, struct.pack("<LL", 300, 1)),
    }


def test_a_maker_note_keeps_its_offset(save: Save) -> None:
    fields = [*rich_fields("<"), Field("root", 0x0131, 2, b"a long name of a program\0")]
    built = build(fields)
    source = save(_jpeg(fields), "source")
    target = source.with_name("result")
    for operations in ([], [Convert(format="png")], [Convert(format="webp")]):
        render(source, target, [KEEP, *operations], Limits())
        assert find_block(target.read_bytes()).index(b"MakerNote") == built.data.index(b"MakerNote")


def test_the_thumbnail_is_not_copied(save: Save) -> None:
    block = bytearray(build(rich_fields("<")).data)
    root_end = 10 + 12 * struct.unpack_from("<H", block, 8)[0]
    struct.pack_into("<L", block, root_end, len(block))
    thumbnail = [(0x0103, 3, 1, 6), (0x0201, 4, 1, len(block) + 42), (0x0202, 4, 1, 9)]
    block += struct.pack("<H", 3) + b"".join(struct.pack("<HHLL", *entry) for entry in thumbnail) + bytes(4)
    source = save(Image.new("RGB", (32, 20)), "in.jpg", exif=b"Exif\0\0" + bytes(block) + b"THUMBNAIL")
    assert b"THUMBNAIL" in source.read_bytes()
    assert _copied(source, KEEP) == set(rich_fields("<"))
    assert b"THUMBNAIL" not in source.with_name("result").read_bytes()


def test_a_png_has_exif_behind_its_pixels_or_as_text(save: Save) -> None:
    block = build(rich_fields("<")).data
    source = save(Image.new("RGB", (32, 20)), "in.png", exif=block)
    data = source.read_bytes()
    start = data.index(b"eXIf") - 4
    chunk, rest = data[start : start + 12 + len(block)], data[:start] + data[start + 12 + len(block) :]
    source.write_bytes(rest[:-12] + chunk + rest[-12:])
    assert _copied(source, KEEP) == set(rich_fields("<"))
    info = PngImagePlugin.PngInfo()
    info.add_text("Raw profile type exif", f"\nexif\n{len(block):8}\n{block.hex()}\n")
    assert _copied(save(Image.new("RGB", (32, 20)), "text.png", pnginfo=info), KEEP) == set(rich_fields("<"))


def test_the_tags_of_a_big_tiff_are_copied(save: Save) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x013B] = "Maker", "Zoe"
    exif.get_ifd(0x8769)[0xA434] = "50mm F1.8"
    source = save(Image.new("RGB", (32, 20)), "in.tif", exif=exif.tobytes(), big_tiff=True)
    assert source.read_bytes()[:4] == b"II+\0"
    assert {(field.number, field.value) for field in _copied(source, KEEP)} == {
        (0x010F, b"Maker\0"),
        (0x013B, b"Zoe\0"),
        (0xA434, b"50mm F1.8\0"),
    }


def test_exif_too_long_for_a_jpeg_loses_its_largest_tags(save: Save) -> None:
    fields = [
        *rich_fields("<"),
        Field("exif", 0xC010, 7, bytes(40_000)),
        Field("exif", 0xC011, 7, bytes(39_000)),
    ]
    source = save(Image.new("RGB", (32, 20)), "in.png", exif=build(fields).data)
    assert _copied(source, KEEP) == set(fields)
    kept = {field for field in fields if field.number != 0xC010}
    assert _copied(source, KEEP, Convert(format="jpeg")) == kept


@pytest.mark.parametrize(("name", "mode"), [*product((*FORMATS, "bmp"), ("strip", "keep", "keep_copyright"))])
def test_the_resolution_is_that_of_the_source_or_the_one_asked_for(name: Any, mode: Any, save: Save) -> None:
    source = save(_jpeg(rich_fields("<"), dpi=(240, 120)), "source")
    target = source.with_name("result")
    cases: list[tuple[Any, tuple[int, int]]] = [("keep", (240, 120)), (72, (72, 72))]
    for dpi, expected in cases:
        render(source, target, [Metadata(mode=mode, dpi=dpi), Convert(format=name)], Limits())
        assert describe(target, Limits()).dpi == expected
        if mode == "keep" and name != "bmp":
            fields = {field.number: field for field in parse(find_block(target.read_bytes()))}
            assert fields[0x011A].value == struct.pack("<LL", expected[0], 1)
    render(source, target, [Convert(format=name)], Limits())
    assert describe(target, Limits()).dpi is None or name == "bmp"


@pytest.mark.parametrize("name", FORMATS)
def test_a_resolution_survives_all_formats(name: WrittenName, save: Save) -> None:
    source = save(_jpeg([], dpi=(300, 300)), "source")
    keep = Metadata(dpi="keep")
    target = source.with_name("result")
    for after in ("png", name, "webp", name, "jpeg"):
        render(source, target, [keep, Convert(format=after)], Limits())
        source.write_bytes(target.read_bytes())
        assert describe(source, Limits()).dpi == (300, 300)


def test_a_file_that_does_not_get_smaller_still_gets_the_resolution(save: Save) -> None:
    source = save(Image.new("RGB", (8, 8)), "in.jpg", quality=1, dpi=(240, 240))
    target = source.with_name("result")
    render(source, target, [Metadata(dpi=300), Compress(quality=100)], Limits())
    assert describe(target, Limits()).dpi == (300, 300)


@pytest.mark.parametrize("name", FORMATS)
def test_strip_location_removes_the_place_and_the_maker_note_alone(name: WrittenName, save: Save) -> None:
    fields = [*rich_fields("<"), Field("root", 34_736, 12, struct.pack("<d", 48.85))]
    source = save(_jpeg(fields), "source")
    kept = {field for field in fields if field.directory != "gps" and field.number not in {0x927C, 34_736}}
    assert _copied(source, Metadata(mode="strip_location"), Convert(format=name)) == kept
    data = source.with_name("result").read_bytes()
    assert b"ASCII\0\0\0GPS" not in data
    assert b"MakerNote" not in data


def test_strip_location_removes_a_place_that_passes_for_something_else(save: Save) -> None:
    built = build(rich_fields("<"))
    block = bytearray(built.data)
    (gps,) = struct.unpack_from("<L", block, built.entries["root", 0x8825] + 8)
    for pointer in (("root", 0x8769), ("exif", 0xA005)):
        damaged = bytearray(block)
        struct.pack_into("<L", damaged, built.entries[pointer] + 8, gps)
        source = save(Image.new("RGB", (32, 20)), "in.jpg", exif=b"Exif\0\0" + bytes(damaged))
        numbers = {field.number for field in _copied(source, Metadata(mode="strip_location"))}
        assert not numbers & {0, 2, 3, 4, 0x1B}


def test_values_that_overlap_make_no_block_that_is_too_large(save: Save) -> None:
    """Each of many tags claims the same bytes, so that a copy of all would be many times as large."""
    count, length = 900, 20_000
    entries = b"".join(struct.pack("<HHLL", 0xC000 + number, 7, length, 8) for number in range(count))
    block = b"II*\0" + struct.pack("<LH", 8, count) + entries + bytes(length)
    source = save(Image.new("RGB", (32, 20)), "in.png", exif=block)
    for name in FORMATS:
        render(source, source.with_name("result"), [KEEP, Convert(format=name)], Limits())
        describe(source.with_name("result"), Limits())
