"""Files that are made to be expensive or to pass for something else are refused, each with its own code.

In tests of files that must be refused without decoding, decoding fails.
"""

import struct
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageFile

from libs.imaging.errors import FormatNotAccepted, ImagingError, SourceFault
from libs.imaging.header import read_header
from libs.imaging.limits import Limits
from libs.imaging.pipeline import render
from tests.imaging.conftest import Save
from tests.imaging.heic_files import Item, box, grid, heic, ispe, picture
from tests.imaging.hevc_headers import configuration
from tests.imaging.jxl_files import boxed, codestream, size_fields


def _webp_header(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    body = b"WEBPVP8L" + struct.pack("<IBI", 14, 0x2F, bits) + bytes(9)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(width: int, height: int, *before: bytes) -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * min(height, 20_000), 9)
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(before) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _many_scans(photos: Path, save: Save, count: int) -> bytes:
    with Image.open(photos / "rocket.jpg") as image:
        data = save(image.resize((64, 64)), "scans.jpg", progressive=True).read_bytes()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"


def _many_pages(count: int) -> bytes:
    pages = (struct.pack("<HI", 0, 38 + 6 * page) for page in range(1, count))
    first = struct.pack("<HHHIIHHIII", 2, 256, 3, 1, 1, 257, 3, 1, 1, 38)
    return b"II*\0" + struct.pack("<I", 8) + first + b"".join(pages)


def _gif(frames: int, width: int = 1, height: int = 1, *, trailer: bytes = b";") -> bytes:
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\2\2\x44\1\0"
    return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + frame * frames + trailer


def _jpeg_segments(marker: bytes, count: int) -> bytes:
    return b"\xff\xd8" + (marker + b"\xff\xff" + bytes(65_533)) * count + b"\xff\xda\0\0"


def _webp_chunk(name: bytes, length: int) -> bytes:
    extended = b"VP8X" + struct.pack("<I", 10) + bytes(10)
    body = b"WEBP" + extended + name + struct.pack("<I", length) + bytes(length)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _avif_sequence(width: int, height: int) -> bytes:
    """Return what a sequence without a still picture says of its size."""
    entry = bytes(6 + 2 + 16) + struct.pack(">HH", width, height) + bytes(50)
    description = box(b"stsd", bytes(7) + b"\1" + box(b"av01", entry))
    track = box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", description))))
    return box(b"ftyp", b"avis" + bytes(4) + b"avismsf1") + box(b"moov", track)


def _coded_as(width: int, height: int) -> Item:
    """Return a small picture for which the decoder is told to allocate a large one."""
    properties = [box(b"hvcC", configuration(width, height)), ispe(64, 64)]
    return Item(data=b"", properties=properties)


REFUSED_BY_HEADER: list[tuple[str, bytes]] = [
    ("empty_file", b""),
    ("not_an_image", b"Dear Sir or Madam,"),
    ("not_an_image", b"BM is how this letter begins, and it goes on for a while yet"),
    ("not_an_image", b"BM\0\0\0\0\0\0\0\0 and some garbage that is no header at all, but long enough"),
    ("not_an_image", bytes(1000)),
    ("not_an_image", b"<html><body>404</body></html>"),
    ("side_too_long", b"RIFF\xff\0\0\0WEBPVP8X\n" + bytes(7) + b"\xff\xff\0\0\0\0"),
    ("image_too_large", _webp_header(13_000, 13_000)),
    ("image_too_large", _png(20_000, 20_000)),
    ("side_too_long", _png(20_000, 8)),
    ("image_too_large", _png(12_000, 12_000)),
    ("image_unreadable", _png(0, 5)),
    ("image_unreadable", _png(1, 1, *[_chunk(b"tEXt", b"a\0b")] * 5_000)),
    ("too_many_frames", _png(1, 1, _chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)))),
    ("too_many_frames", _gif(65_535)),
    ("image_too_large", _gif(1, 65_535, 65_535)),
    ("image_too_large", _gif(200, 1_000, 1_000)),
    ("image_unreadable", b"GIF89a"),
    ("too_many_frames", _many_pages(100_000)),
    ("too_much_metadata", _png(1, 1, _chunk(b"tEXt", b"a\0" + bytes(2**20)))),
    ("too_much_metadata", _png(1, 1, _chunk(b"iCCP", b"a\0\0" + bytes(2**22)))),
    ("too_much_metadata", _jpeg_segments(b"\xff\xe1", 200)),
    ("too_much_metadata", _jpeg_segments(b"\xff\xe2", 100)),
    ("too_much_metadata", _webp_chunk(b"EXIF", 2**20 + 2)),
    ("too_much_metadata", _webp_chunk(b"ICCP", 2**22 + 2)),
    ("image_truncated", b"\xff\xd8\xff\xe0"),
    ("image_truncated", b"\xff\xd8\xff\xd9"),
    ("image_truncated", b"\x89PNG\r\n\x1a\n"),
    ("image_truncated", b"RIFF\0\0\0\0WEBPVP8 "),
    ("image_unreadable", b"RIFF\0\0\0\0WEBPJUNK" + bytes(40)),
    ("image_truncated", b"II*\0\xff\xff\xff\x7f"),
    ("image_truncated", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"),
    ("image_too_large", _avif_sequence(30_000, 30_000)),
    ("image_truncated", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
    ("feature_not_supported", b"\0\0\0\x18ftyphevc\0\0\0\0msf1hevc" + box(b"moov", b"")),
    ("image_too_large", heic(picture(size=(40_000, 40_000)))),
    ("side_too_long", heic(picture(size=(20_000, 64)))),
    ("image_too_large", heic(picture(), picture(size=(8_000, 8_000), hidden=True))),
    ("image_too_large", heic(_coded_as(16_000, 16_000))),
    ("image_too_large", heic(picture(hidden=True), grid(1, 1, (30_000, 30_000), [1], announced=(128, 64)))),
    ("image_unreadable", heic(picture(), primary=7)),
    ("image_too_large", codestream(*size_fields(13_000, 13_000), (1, 1))),
    ("image_too_large", boxed(codestream(*size_fields(2**30, 2**30), (1, 1)), parts=3)),
    ("side_too_long", codestream(*size_fields(20_000, 8), (1, 1))),
    ("image_truncated", b"\xff\x0a"),
    ("image_truncated", boxed(b"")),
]


def _refuse_to_decode(*_: object) -> None:
    raise AssertionError("pixels were decoded")


@pytest.mark.parametrize(("code", "data"), REFUSED_BY_HEADER)
def test_a_hostile_file_is_refused_by_its_header_alone(
    code: str, data: bytes, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", _refuse_to_decode)
    source = save(data, "hostile")
    start = time.process_time()
    with pytest.raises(SourceFault) as caught:
        read_header(source, Limits())
    assert caught.value.code == code
    assert time.process_time() - start < 1


REFUSED_BY_NAME = [
    ("SVG", b'<?xml version="1.0"?>\n<!-- drawn --><svg xmlns="http://www.w3.org/2000/svg"/>'),
    ("SVG", b"<svg width='1' height='1'></svg>"),
    ("SVG", "\ufeff<svg >".encode("utf-16-le")),
    ("PDF", b"%PDF-1.7\n"),
    ("EPS", b"%!PS-Adobe-3.0 EPSF-3.0\n"),
    ("PSD", b"8BPS\0\1"),
    ("ICO", b"\0\0\1\0\1\0"),
    ("JPEG 2000", b"\0\0\0\x0cjP  \r\n\x87\n"),
    ("PNM", b"P6 1 1 255 abc"),
    ("MP4", b"\0\0\0\x18ftypisom\0\0\0\0isommp42"),
]


@pytest.mark.parametrize(("name", "data"), REFUSED_BY_NAME)
def test_a_known_format_that_is_not_accepted_is_named(name: str, data: bytes, save: Save) -> None:
    with pytest.raises(FormatNotAccepted, match=name):
        read_header(save(data, "in.jpg"), Limits())


def test_a_jpeg_of_2000_scans_is_refused_without_decoding(
    photos: Path, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = save(_many_scans(photos, save, 1), "few.jpg")
    assert read_header(few, Limits()).width == 64
    many = save(_many_scans(photos, save, 2_000), "many.jpg")
    monkeypatch.setattr(ImageFile.ImageFile, "load", _refuse_to_decode)
    with pytest.raises(ImagingError) as caught:
        read_header(many, Limits())
    assert caught.value.code == "too_many_scans"


def test_a_file_above_the_size_limit_is_refused_without_reading_it(photos: Path, tmp_path: Path) -> None:
    limits = Limits(max_bytes=1_000)
    with pytest.raises(SourceFault) as caught:
        render(photos / "rocket.jpg", tmp_path / "result", [], limits)
    assert caught.value.code == "file_too_large"


def test_a_text_that_decompresses_to_too_much_is_refused(save: Save, tmp_path: Path) -> None:
    bomb = _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000), 9))
    assert len(bomb) < 60_000
    with pytest.raises(SourceFault) as caught:
        render(save(_png(1, 1, bomb), "in.png"), tmp_path / "result", [], Limits())
    assert caught.value.code == "too_much_metadata"


def test_directories_that_form_a_loop_are_counted_once(save: Save) -> None:
    tags = struct.pack("<HHIIHHIIHHII", 256, 3, 1, 1, 257, 3, 1, 1, 273, 4, 1, 0)
    loop = b"II*\0" + struct.pack("<IH", 8, 3) + tags + struct.pack("<I", 8)
    assert read_header(save(loop, "in.tiff"), Limits()).frames == 1


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "gif", "avif", "tiff", "bmp", "jxl"])
@pytest.mark.parametrize("percent", [60, 90])
def test_a_truncated_file_passes_the_header_check_and_is_refused_when_rendered(
    extension: str, percent: int, photos: Path, save: Save, tmp_path: Path
) -> None:
    with Image.open(photos / "astronaut.png") as image:
        data = save(image, f"whole.{extension}").read_bytes()
    source = save(data[: len(data) * percent // 100], f"cut.{extension}")
    assert read_header(source, Limits()).width == 512
    with pytest.raises(SourceFault) as caught:
        render(source, tmp_path / "result", [], Limits())
    assert caught.value.code == "image_truncated"
    assert not (tmp_path / "result").exists()


def test_a_truncated_heic_or_jpeg_xl_passes_the_header_check_and_is_refused_when_rendered(
    photos: Path, save: Save, tmp_path: Path
) -> None:
    with Image.open(photos / "astronaut.png") as image:
        packed = save(image, "whole.jxl").read_bytes()
    files = ((heic(picture("rgb.heic", box(b"irot", b"\1"))), (64, 128)), (boxed(packed), (512, 512)))
    for data, size in files:
        for percent in (60, 90):
            source = save(data[: len(data) * percent // 100], "cut")
            header = read_header(source, Limits())
            assert (header.width, header.height) == size
            with pytest.raises(SourceFault) as caught:
                render(source, tmp_path / "result", [], Limits())
            assert caught.value.code == "image_truncated"


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "gif", "avif", "tiff", "jxl"])
def test_garbage_in_the_body_raises_only_imaging_errors(
    extension: str, photos: Path, save: Save, tmp_path: Path
) -> None:
    with Image.open(photos / "chelsea.png") as image:
        data = save(image.resize((90, 60)), f"whole.{extension}").read_bytes()
    for start in range(2, len(data) - 64, len(data) // 40):
        damaged = bytearray(data)
        damaged[start : start + 16] = (byte ^ 0xA5 for byte in data[start : start + 16])
        try:
            render(save(bytes(damaged), f"bad.{extension}"), tmp_path / "result", [], Limits())
        except ImagingError:
            continue


def test_the_format_is_detected_from_the_bytes(photos: Path, save: Save) -> None:
    header = read_header(save((photos / "rocket.jpg").read_bytes(), "rocket.png"), Limits())
    assert (header.format, header.mime, header.extension) == ("jpeg", "image/jpeg", "jpg")
    assert (header.width, header.height, header.frames) == (640, 427, 1)


def test_pillow_refuses_truncated_files() -> None:
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
