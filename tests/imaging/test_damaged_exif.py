"""One damaged tag raises nothing, and no other tag is lost."""

import struct
from io import BytesIO
from random import Random

from PIL import Image

from libs.imaging.describe import describe
from libs.imaging.limits import Limits
from libs.imaging.metadata.exif_changes import Changes, update_exif, without_place
from libs.imaging.metadata.exif_iptc import read_camera
from libs.imaging.metadata.tiff_block import read_block, write_block
from libs.imaging.operations import Convert, Metadata
from libs.imaging.orientation import read_orientation
from libs.imaging.pillow_adapter import open_image
from libs.imaging.pipeline import render
from tests.imaging.conftest import Save
from tests.imaging.damaged_exif import damaged_blocks, random_damage
from tests.imaging.rich_exif import Field, build, find_block, parse, rich_fields

CHANGES = Changes(size=(40, 30), scale=None, converted=True)


def test_no_other_tag_is_lost_whatever_is_damaged() -> None:
    damages = 0
    for damaged in damaged_blocks():
        block = read_block(damaged.data)
        assert block, damaged.what
        read_camera(block)
        copied = set(parse(write_block(update_exif(block, CHANGES))))
        assert not damaged.lost(copied), damaged.what
        without_gps = set(parse(write_block(update_exif(without_place(block), CHANGES))))
        assert not any(field.directory == "gps" for field in without_gps), damaged.what
        damages += 1
    assert damages > 1_500


def test_files_with_a_damaged_tag_are_described_and_copied(save: Save) -> None:
    random = Random(1)  # noqa: S311
    for number in range(40):
        damaged = random_damage(random)
        buffer = BytesIO()
        Image.new("RGB", (16, 8), "teal").save(buffer, "JPEG", exif=b"Exif\0\0" + damaged.data)
        source = save(buffer.getvalue(), "source")
        name = ("jpeg", "png", "webp", "tiff")[number % 4]
        target = source.with_name("result")
        render(source, target, [Metadata(mode="keep"), Convert(format=name)], Limits())
        assert not damaged.lost(set(parse(find_block(target.read_bytes())))), damaged.what
        describe(source, Limits())
        describe(target, Limits())


def test_photos_are_turned_upright_whatever_else_is_damaged(save: Save) -> None:
    for order in "<>":
        fields = [*rich_fields(order), Field("root", 0x0112, 3, struct.pack(order + "H", 6))]
        built = build(fields, order)
        for tag, entry in built.entries.items():
            for place, value in ((3, 0), (2, 5), (4, 200), (5, 200), (8, 127), (11, 127)):
                block = bytearray(built.data)
                block[entry + place] = value
                if tag[1] == 0x0112:
                    continue
                source = save(Image.new("RGB", (16, 8)), "in.jpg", exif=b"Exif\0\0" + bytes(block))
                with open_image(source, "jpeg") as image:
                    assert read_orientation(image) == 6, f"{order} {tag} +{place}: {value}"


def test_a_tiff_with_a_damaged_tag_keeps_its_pixels(save: Save) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x010F], exif[0x013B], exif[0x8298] = "about it" * 3, "Maker", "Zoe Miller", "(c) Zoe"
    source = save(Image.new("RGB", (16, 8), "teal"), "in.tif", exif=exif)
    data = source.read_bytes()
    start = int.from_bytes(data[4:8], "little")
    entries = [start + 2 + 12 * number for number in range(int.from_bytes(data[start : start + 2], "little"))]
    for entry in entries:
        number = int.from_bytes(data[entry : entry + 2], "little")
        if number not in {0x010E, 0x010F, 0x013B, 0x8298}:
            continue
        for place in (2, 3, 6, 7, 10, 11):
            damaged = bytearray(data)
            damaged[entry + place] ^= 0x7F
            source.write_bytes(damaged)
            target = source.with_name("result")
            render(source, target, [Metadata(mode="keep"), Convert(format="png")], Limits())
            with Image.open(target) as image:
                assert image.convert("RGB").getpixel((9, 4)) == (0, 128, 128)
                texts = {0x010E: "about it" * 3, 0x010F: "Maker", 0x013B: "Zoe Miller", 0x8298: "(c) Zoe"}
                del texts[number]
                assert texts.items() <= dict(image.getexif()).items()
