"""Descriptions of files: EXIF, IPTC, XMP and the rest, also if metadata is malformed."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

from libs.imaging.describe import describe
from libs.imaging.limits import Limits
from libs.imaging.metadata.exif_iptc import Camera, Caption, Place
from tests.imaging.conftest import Save
from tests.imaging.rich_exif import build, rich_fields


def _with_metadata(save: Save, **changes: Any) -> Path:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112], exif[0x013B] = "Maker\0", "Model", 6, "Ann"
    exif_ifd, gps = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    exif_ifd.update(
        {0x829A: IFDRational(1, 250), 0x829D: 2.8, 0x8827: 400, 0x920A: 35.0, 0xA405: 52, 0x9209: 25}
    )
    exif_ifd.update({0xA434: "Lens 35mm", 0x9003: "2024:02:29 12:34:56", 0x9011: "+05:30"})
    gps.update({1: "S", 2: (33.0, 51.0, 31.2), 3: "E", 4: (151.0, 12.0, 50.4), 5: b"\0", 6: 12.5})
    exif.get_ifd(0x8769).update(changes.pop("photo", {}))
    exif.get_ifd(0x8825).update(changes.pop("gps", {}))
    return save(Image.new("RGB", (40, 30), "teal"), "in.jpg", exif=exif, **changes)


def test_exif_is_parsed(save: Save) -> None:
    description = describe(_with_metadata(save), Limits())
    assert description.exif == Camera(
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
    assert (description.orientation, description.metadata_error) == (6, None)
    assert msgspec.json.decode(msgspec.json.encode(description))["exif"]["gps"]["latitude"] == -33.8586667


@pytest.mark.parametrize(
    ("changes", "field", "error"),
    [
        ({"photo": {0x829A: IFDRational(1, 0)}}, "exposure_s", "exposure is malformed"),
        ({"photo": {0x9003: "yesterday"}}, "taken_at", "time is malformed"),
        ({"photo": {0x9003: "    :  :     :  :  "}}, "taken_at", None),
        ({"gps": {2: (933.0, 0.0, 0.0)}}, "gps", "position is malformed"),
        ({"gps": {2: (33.0,)}}, "gps", "position is malformed"),
        ({"photo": {0x8827: "fast"}}, "iso", "iso is malformed"),
    ],
)
def test_a_malformed_tag_is_reported_and_affects_no_other(
    changes: dict[str, Any], field: str, error: str | None, save: Save
) -> None:
    description = describe(_with_metadata(save, **changes), Limits())
    assert description.exif
    assert getattr(description.exif, field) is None
    assert description.exif.make == "Maker"
    assert description.metadata_error == error


@pytest.mark.parametrize(
    ("tags", "taken_at", "error"),
    [
        ({0x9003: "2024:02:29 12:34:56"}, "2024-02-29T12:34:56", None),
        ({0x9003: "2024-02-29 12:34:56"}, "2024-02-29T12:34:56", None),
        ({0x9003: "2024-02-29T12:34:56"}, "2024-02-29T12:34:56", None),
        ({0x9003: "2024-02-29T12:34:56.789Z"}, "2024-02-29T12:34:56Z", None),
        ({0x9003: "2024-02-29T12:34:56+05:30"}, "2024-02-29T12:34:56+05:30", None),
        ({0x9003: "2024/02/29 12:34:56"}, "2024-02-29T12:34:56", None),
        ({0x9003: "2024:02:30 12:34:56"}, None, "time is malformed"),
        ({0x9003: "2024:02:29 25:00:00"}, None, "time is malformed"),
        ({0x9003: "", 0x9004: "2024:02:29 12:34:56", 0x9012: "+01:00"}, "2024-02-29T12:34:56+01:00", None),
        ({0x9003: "0000:00:00 00:00:00", 0x9004: "2024:02:29 12:34:56"}, "2024-02-29T12:34:56", None),
        ({0x9003: "yesterday", 0x9004: "2024:02:29 12:34:56"}, "2024-02-29T12:34:56", "time is malformed"),
        ({0x0132: "2024:02:29 12:34:56", 0x9010: "-03:00"}, "2024-02-29T12:34:56-03:00", None),
        ({29: "2024:02:29", 7: (11.0, 4.0, 56.0)}, "2024-02-29T11:04:56Z", None),
        ({29: "2024:02:29"}, None, None),
    ],
)
def test_the_time_is_the_first_date_that_can_be_read(
    tags: dict[int, Any], taken_at: str | None, error: str | None, save: Save
) -> None:
    exif = Image.Exif()
    for number, value in tags.items():
        directory = exif if number == 0x0132 else exif.get_ifd(0x8769 if number > 0x9000 else 0x8825)
        directory[number] = value
    description = describe(save(Image.new("RGB", (9, 9)), "in.jpg", exif=exif), Limits())
    assert (description.exif.taken_at if description.exif else None) == taken_at
    assert description.metadata_error == error


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_text_is_utf8_or_else_latin_1(order: str, save: Save) -> None:
    exif = b"Exif\0\0" + build(rich_fields(order), order).data
    description = describe(save(Image.new("RGB", (9, 9)), "in.jpg", exif=exif), Limits())
    assert description.exif
    assert description.exif.artist == "Zoë Müller"  # stored as UTF-8
    assert description.exif.copyright == "© 2026 Zoë"  # stored as Latin-1
    assert description.exif.description == "日本語の説明"
    assert (description.exif.iso, description.exif.exposure_s) == (200, 0.004)
    assert description.exif.gps == Place(latitude=48.8566, longitude=48.8566)


@pytest.mark.parametrize(
    "garbage", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\x7f", b"Exif\0\0MM\0*" + b"\xff" * 99]
)
def test_damaged_exif_raises_nothing(garbage: bytes, save: Save) -> None:
    description = describe(save(Image.new("RGB", (40, 30)), "in.jpg", exif=garbage), Limits())
    assert (description.exif, description.orientation, description.width) == (None, 1, 40)
    assert description.metadata_error


def test_iptc_and_xmp_are_described(save: Save) -> None:
    def record(number: int, text: bytes) -> bytes:
        return b"\x1c\x02" + bytes([number]) + len(text).to_bytes(2, "big") + text

    records = record(5, b"Title") + record(25, b"one") + record(25, "zwö".encode()) + record(116, b"(c)")
    records += b"\0" * (len(records) % 2)
    block = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(records).to_bytes(4, "big") + records
    app13 = b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block
    description = describe(save(Image.new("RGB", (9, 9)), "in.jpg", extra=app13, xmp=b"<x/>"), Limits())
    assert description.iptc == Caption(title="Title", keywords=("one", "zwö"), copyright="(c)")
    assert description.xmp == "<x/>"


def test_format_size_mode_and_profile_are_described(save: Save) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()  # pyright: ignore
    source = save(Image.new("RGBA", (40, 30), (255, 0, 0, 9)), "in.png", icc_profile=profile, dpi=(300, 300))
    description = describe(source, Limits())
    assert (description.format, description.mime, description.width, description.height) == (
        "png",
        "image/png",
        40,
        30,
    )
    assert (description.mode, description.has_alpha, description.profile) == ("RGBA", True, "sRGB built-in")
    assert description.dpi == (300, 300)
    assert (description.frames, description.duration_ms, description.size_bytes) == (
        1,
        None,
        source.stat().st_size,
    )


@pytest.mark.parametrize("extension", ["gif", "png", "webp", "avif"])
def test_the_duration_is_that_of_all_frames_together(extension: str, save: Save) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "lime", "blue")]
    options = {"save_all": True, "append_images": frames[1:], "duration": [100, 250, 400]}
    description = describe(save(frames[0], f"in.{extension}", **options), Limits())
    assert (description.frames, description.duration_ms) == (3, 750)
