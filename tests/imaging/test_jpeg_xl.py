"""JPEG XL: headers, boxes, colours and metadata, in and out."""

from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from libs.imaging.colour.transfer_functions import srgb_coded
from libs.imaging.containers import jxl, jxl_frames
from libs.imaging.containers.shape import Shape
from libs.imaging.describe import describe
from libs.imaging.errors import FeatureNotSupported, ImagingError
from libs.imaging.header import read_header
from libs.imaging.limits import Limits
from libs.imaging.operations import Convert, Metadata, Resize
from libs.imaging.pipeline import first_frame, render
from tests.imaging.conftest import Run, Save
from tests.imaging.jxl_files import boxed, codestream, size_fields

JXL = Convert(format="jxl")
_SHORT, _ALL_USUAL = (0, 1), (1, 1)
_USUAL_DEPTH = [(0, 3), (1, 1), (0, 2), (1, 1)]  # 8 bits, no channels besides the colours, coded in XYB


def _encoded(image: Image.Image, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JXL", **options)
    return buffer.getvalue()


def _photo(photos: Path, side: int = 96) -> Image.Image:
    with Image.open(photos / "coffee.png") as image:
        return image.convert("RGB").resize((side, side * 2 // 3))


def test_the_size_is_read_in_every_form() -> None:
    """The decoder agrees: the encoder chooses the form by the size."""
    for width, height in product((1, 8, 9, 64, 250, 256, 257, 513, 8_200), (1, 8, 27, 256, 300)):
        data = _encoded(Image.new("L", (width, height)), effort=1)
        assert jxl.read_header(data).shape == Shape(width, height)
        assert jxl.read_header(boxed(data, parts=3)).shape == Shape(width, height)


@pytest.mark.parametrize(
    ("ratio", "width"), [(1, 90), (2, 108), (3, 120), (4, 135), (5, 160), (6, 112), (7, 180)]
)
def test_a_size_may_be_given_by_its_ratio(ratio: int, width: int) -> None:
    """ISO/IEC 18181-1, table D.1; the height of 90 is written in 9 bits."""
    data = codestream(_SHORT, (0, 2), (89, 9), (ratio, 3), _ALL_USUAL)
    assert jxl.read_header(data).shape == Shape(width, 90)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_lossless_pixels_come_back(mode: str, photos: Path, save: Save, run: Run) -> None:
    image = _photo(photos).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image = image.convert(mode)
    source = save(image, "in.png")
    facts, _ = run(source, Convert(format="jxl", lossless=True))
    assert (facts.format, facts.mime, facts.extension) == ("jxl", "image/jxl", "jxl")
    written = save((source.parent / "result").read_bytes(), "written.jxl")
    assert np.array_equal(np.asarray(first_frame(written, Limits())), np.asarray(image))
    described = describe(written, Limits())
    assert (described.mode, described.has_alpha) == (mode, "A" in mode)


def test_quality_and_effort_change_the_size_of_the_file(photos: Path, run: Run) -> None:
    source = photos / "coffee.png"
    sizes = [run(source, Convert(format="jxl", quality=quality))[0].size_bytes for quality in (20, 60, 90)]
    assert sizes == sorted(sizes)
    assert len({run(source, Convert(format="jxl", effort=effort))[0].md5 for effort in (0, 3, 6)}) == 3


def test_a_jpeg_is_not_packed_as_it_is(photos: Path, save: Save, tmp_path: Path) -> None:
    """The encoder would keep a JPEG's bytes, with all their metadata, if it got the opened file."""
    source = save(_photo(photos), "in.jpg", comment=b"SECRET", exif=_exif().tobytes())
    render(source, tmp_path / "out", [JXL], Limits())
    data = (tmp_path / "out").read_bytes()
    assert data[:2] == b"\xff\x0a"
    assert not any(word in data for word in (b"SECRET", b"Maker", b"jbrd"))


def test_a_repacked_jpeg_is_decoded_as_what_it_shows(photos: Path, save: Save) -> None:
    plain = _photo(photos)
    source = save(plain, "in.jpg", quality=95)
    with pytest.warns(UserWarning, match="reconstruction"), Image.open(source) as image:
        data = _encoded(image)
    assert b"jbrd" in data
    shown = np.asarray(first_frame(save(data, "in.jxl"), Limits())).astype(int)
    assert np.abs(shown - np.asarray(plain)).mean() < 4


def _exif() -> Image.Exif:
    exif = Image.Exif()
    exif[271], exif[274] = "Maker", 6
    return exif


XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">WORDS</x:xmpmeta>'


@pytest.mark.parametrize("offset", [b"", bytes(4), b"\0\0\0\4abcd"])
def test_exif_and_xmp_are_read_and_the_orientation_turns_nothing(
    offset: bytes, photos: Path, save: Save
) -> None:
    data = _encoded(_photo(photos))
    source = save(boxed(data, (b"Exif", offset + _exif().tobytes()[6:]), (b"xml ", XMP)), "in.jxl")
    described = describe(source, Limits())
    assert described.exif
    assert (described.exif.make, described.xmp, described.orientation) == ("Maker", XMP.decode(), 1)
    assert (described.width, described.height) == (96, 64)


def test_kept_exif_is_written_with_its_offset(photos: Path, save: Save, tmp_path: Path) -> None:
    source = save(_photo(photos), "in.jpg", exif=_exif().tobytes())
    render(source, tmp_path / "out", [Metadata(mode="keep"), JXL], Limits())
    data = (tmp_path / "out").read_bytes()
    at = data.index(b"Exif") + 4
    assert data[at : at + 4] == bytes(4)
    assert data[at + 4 : at + 6] in {b"II", b"MM"}
    described = describe(tmp_path / "out", Limits())
    assert described.exif
    assert (described.exif.make, described.width, described.height) == ("Maker", 64, 96)


def _colour_fields(primaries: int, transfer: int) -> list[tuple[int, int]]:
    """Return the fields from the flag of usual colours on, for RGB with the white D65."""

    def enum(value: int) -> list[tuple[int, int]]:
        return (
            [(value, 2)]
            if value < 2
            else [(2, 2), (value - 2, 4)]
            if value < 18
            else [(3, 2), (value - 18, 6)]
        )

    fields = [(0, 1), (0, 1), *enum(0), *enum(1), *enum(primaries), (0, 1), *enum(transfer), *enum(1)]
    return fields


@pytest.mark.parametrize(
    ("primaries", "transfer", "expected"),
    [(11, 13, (12, 13)), (9, 16, (9, 16)), (9, 18, (9, 18)), (1, 8, (1, 8))],
)
def test_the_colours_of_the_header_are_code_points(
    primaries: int, transfer: int, expected: tuple[int, int]
) -> None:
    data = codestream(
        *size_fields(8, 8), (0, 2), *_USUAL_DEPTH, *_colour_fields(primaries, transfer), (0, 16)
    )
    space = jxl.read_header(data).colours
    assert space
    assert space != "icc"
    assert space.code_points
    assert (space.code_points.primaries, space.code_points.transfer) == expected


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_of_the_header_exchanges_the_sides(orientation: int) -> None:
    extra = [(0, 1), (1, 1), (orientation - 1, 3), (0, 3)]
    data = codestream(*size_fields(30, 20), *extra, *_USUAL_DEPTH, (1, 1))
    assert jxl.read_header(data).shape == (Shape(30, 20) if orientation < 5 else Shape(20, 30))


ANIMATED = codestream(*size_fields(8, 8), (0, 1), (1, 1), (0, 3), (0, 2), (1, 1), (0, 64))
MANY_CHANNELS = codestream(
    *size_fields(8, 8), (0, 2), *[(0, 1)] * 2, (1, 1), (0, 1), (3, 2), (4_000, 12), (0, 64)
)
CMYK = codestream(
    *size_fields(8, 8),
    (0, 2),
    (0, 1),
    (0, 2),
    (1, 1),
    (1, 2),
    (0, 1),
    (2, 2),
    (2, 4),
    (0, 3),
    (0, 2),
    (0, 2),
    (0, 64),
)


@pytest.mark.parametrize(
    ("feature", "data"),
    [("animation", ANIMATED), ("extra channels", MANY_CHANNELS), ("CMYK", CMYK)],
)
def test_what_cannot_be_shown_rightly_is_named(feature: str, data: bytes, save: Save) -> None:
    for file in (data, boxed(data)):
        with pytest.raises(FeatureNotSupported, match=feature):
            read_header(save(file, "in.jxl"), Limits())


@pytest.mark.parametrize("parts", [1, 4])
def test_a_cut_box_is_a_truncated_file(parts: int, photos: Path, save: Save, tmp_path: Path) -> None:
    whole = boxed(_encoded(_photo(photos)), parts=parts)
    render(save(whole, "in.jxl"), tmp_path / "out", [Resize(width=20)], Limits())
    for length in range(60, len(whole) - 1, 37):
        with pytest.raises(ImagingError) as caught:
            render(save(whole[:length], "in.jxl"), tmp_path / "out", [], Limits())
        assert caught.value.code == "image_truncated", length


def test_a_cut_codestream_is_a_truncated_file_and_a_changed_one_is_damaged(
    photos: Path, save: Save, tmp_path: Path
) -> None:
    kinds = product(("L", "LA", "RGB", "RGBA"), (96, 420), ({"quality": 60}, {"lossless": True}), (1, 5))
    for mode, side, quality, effort in kinds:
        data = _encoded(_photo(photos, side).convert(mode), **quality, effort=effort)
        assert not jxl_frames.ends_early(data)
        for percent in (30, 60, 99):
            assert jxl_frames.ends_early(data[: len(data) * percent // 100]), (mode, side, quality, effort)
        damaged = bytearray(data)
        for at in range(len(data) // 2, len(data), 7):
            damaged[at] ^= 0xA5
        files = [(data[: len(data) * 9 // 10], "image_truncated")]
        if effort > 1:  # the fastest coding has nothing that a decoder could check
            files.append((bytes(damaged), "image_unreadable"))
        for file, code in files:
            with pytest.raises(ImagingError) as caught:
                render(save(file, "in.jxl"), tmp_path / "out", [], Limits())
            assert caught.value.code == code, (mode, side, quality, effort)


def test_deep_grey_keeps_its_dark_shades(save: Save, run: Run) -> None:
    """The encoder says of deep samples that they are linear light."""
    ramp = np.arange(0, 65_536, 32, dtype=np.uint16).reshape(32, 64)
    data = _encoded(Image.fromarray(ramp), lossless=True)
    _, image = run(save(data, "in.jxl"), Convert(format="png"))
    expected = srgb_coded(ramp / 65_535) * 255
    assert np.abs(np.asarray(image.convert("L")) - expected).max() <= 1


def test_wide_colours_become_srgb_because_the_encoder_writes_no_profile(save: Save, run: Run) -> None:
    from libs.imaging.colour.profile_writer import icc_profile
    from libs.imaging.colour.spaces import CodePoints, from_code_points

    space = from_code_points(CodePoints(12, 13, 0, full_range=True), television="srgb")
    assert space
    source = save(
        Image.new("RGB", (16, 16), (200, 60, 60)), "in.png", icc_profile=icc_profile(space, grey=False)
    )
    _, expected = run(source, Convert(format="png"))
    expected = np.asarray(expected)[8, 8].astype(int)
    _, image = run(source, Metadata(color="keep"), Convert(format="jxl", lossless=True))
    assert np.abs(np.asarray(image)[8, 8].astype(int) - expected).max() <= 1
