"""HEIC and HEIF: which picture is shown and how, its colours, and what is kept of its metadata."""

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from libs.imaging.describe import describe
from libs.imaging.errors import FrameMissing, ImagingError
from libs.imaging.header import read_header
from libs.imaging.limits import Limits
from libs.imaging.operations import Compress, Convert, Flip, Frames, Metadata, Resize
from libs.imaging.pipeline import explain, first_frame, render
from tests.imaging.conftest import Run, Save
from tests.imaging.heic_files import (
    FOLDER,
    HEIGHT,
    MIRRORED_ACROSS,
    MIRRORED_DOWN,
    WIDTH,
    Item,
    box,
    exif,
    full_box,
    grid,
    heic,
    ispe,
    nclx,
    picture,
    xmp,
)
from tests.imaging.png_files import png

PNG = Convert(format="png")


def _pixels(image: Image.Image) -> NDArray[np.int32]:
    return np.asarray(image).astype(np.int32)


def _decoded(path: Path) -> NDArray[np.int32]:
    return _pixels(first_frame(path, Limits()))


def _psnr(first: NDArray[np.int32], second: NDArray[np.int32]) -> float:
    return float(10 * np.log10(255**2 / max(np.mean((first - second) ** 2), 1e-9)))


def test_a_picture_looks_like_the_one_that_was_coded() -> None:
    with Image.open(FOLDER / "photo.png") as image:
        original, grey = _pixels(image), _pixels(image.convert("L"))
    assert _psnr(_decoded(FOLDER / "rgb.heic"), original) > 44
    assert _psnr(_decoded(FOLDER / "grey.heic"), grey) > 44


@pytest.mark.parametrize(("bits", "least"), [(10, 48), (12, 52)])
def test_samples_of_10_and_12_bits_are_rounded(bits: int, least: int) -> None:
    ramp = np.linspace(0, 255, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
    for name, expected in (("grey", ramp), ("rgb", np.stack([ramp, ramp[::-1], ramp[:, ::-1]], axis=2))):
        pixels = _decoded(FOLDER / f"{name}{bits}.heic")
        assert 10 * np.log10(255**2 / np.mean((pixels - expected) ** 2)) > least
        assert abs((pixels - expected).mean()) < 0.1  # neither cut off nor brighter


@pytest.mark.parametrize("mirror", [b"", MIRRORED_ACROSS, MIRRORED_DOWN])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("mirrored_first", [False, True])
def test_irot_and_imir_are_applied_once_in_their_order_and_exif_turns_nothing(
    turns: int, mirror: bytes, mirrored_first: bool, save: Save
) -> None:
    irot, imir = box(b"irot", bytes([turns])), box(b"imir", mirror)
    steps = [imir, irot] if mirrored_first else [irot, imir]
    block = Image.Exif()
    block[274] = 6
    data = heic(picture("rgb.heic", *(steps if mirror else [irot])), exif(block.tobytes()))
    expected = _decoded(save(heic(picture()), "upright"))
    for step in steps:
        if step == irot:
            expected = np.rot90(expected, turns)  # counterclockwise, as the format demands
        elif mirror:
            expected = expected[:, ::-1] if mirror == MIRRORED_ACROSS else expected[::-1]
    source = save(data, "turned")
    assert np.array_equal(_decoded(source), expected)
    header = read_header(source, Limits())
    assert (header.height, header.width) == expected.shape[:2]
    description = describe(source, Limits())
    assert (description.height, description.width, description.orientation) == (*expected.shape[:2], 1)


def test_a_clean_aperture_cuts_the_picture(save: Save) -> None:
    whole = _decoded(save(heic(picture()), "whole"))
    aperture = struct.pack(">8i", 100, 1, 40, 1, -4, 1, 2, 1)  # width, height, and how far off the centre
    cut = _decoded(save(heic(picture("rgb.heic", box(b"clap", aperture), box(b"irot", b"\1"))), "cut"))
    top, left = (HEIGHT - 40) // 2 + 2, (WIDTH - 100) // 2 - 4
    assert np.array_equal(cut, np.rot90(whole[top : top + 40, left : left + 100]))


def test_a_grid_of_tiles_is_one_picture(save: Save) -> None:
    tiles = [picture(hidden=True), picture("rgb.heic", hidden=True)] * 2
    source = save(heic(*tiles, grid(2, 2, (200, 100), [1, 2, 3, 4]), primary=5), "grid")
    tile = _decoded(save(heic(picture()), "tile"))
    assert np.array_equal(_decoded(source), np.tile(tile, (2, 2, 1))[:100, :200])
    assert read_header(source, Limits()).frames == 1


def test_what_belongs_to_a_picture_is_not_shown(save: Save) -> None:
    def auxiliary(kind: bytes) -> Item:
        auxc = full_box(b"auxC", kind + b"\0")
        return picture("grey.heic", auxc, references=[(b"auxl", 1)], hidden=True)

    source = save(
        heic(
            picture(),
            auxiliary(b"urn:mpeg:hevc:2015:auxid:2"),  # depth
            auxiliary(b"urn:com:apple:photo:2020:aux:hdrgainmap"),
            picture("grey.heic", references=[(b"thmb", 1)]),
        ),
        "portrait",
    )
    description = describe(source, Limits())
    assert (description.frames, description.mode, description.has_alpha) == (1, "RGB", False)
    assert np.array_equal(_decoded(source), _decoded(save(heic(picture()), "alone")))


def _burst(primary: int = 2) -> bytes:
    pictures = [picture(), picture("grey.heic"), picture("rgb.heic", box(b"irot", b"\1"))]
    return heic(*pictures, primary=primary)


def test_a_burst_shows_its_primary_picture_and_the_others_when_asked(save: Save, tmp_path: Path) -> None:
    source = save(_burst(), "burst")
    assert read_header(source, Limits()).frames == 3
    sizes: list[tuple[str, int, int, int]] = []
    for operations in ([], [Frames(frame=0)], [Frames(frame=1)], [Frames(frame=2)], [Frames(max_frames=3)]):
        facts = render(source, tmp_path / "out", [*operations, Convert(format="webp")], Limits())
        sizes.append((facts.format, facts.width, facts.height, facts.frames))
    wide, tall = ("webp", WIDTH, HEIGHT, 1), ("webp", HEIGHT, WIDTH, 1)
    assert sizes == [wide, wide, wide, tall, wide]
    with Image.open(FOLDER / "photo.png") as image:
        grey = _pixels(image.convert("L").convert("RGB"))
    render(source, tmp_path / "out", [Frames(frame=0), PNG], Limits())
    with Image.open(tmp_path / "out") as image:
        assert _psnr(_pixels(image.convert("RGB")), grey) > 40
    with pytest.raises(FrameMissing):
        render(source, tmp_path / "out", [Frames(frame=3)], Limits())


def test_the_pixels_of_a_burst_are_not_added_up(save: Save) -> None:
    source = save(_burst(), "burst")
    assert read_header(source, Limits(max_pixels=WIDTH * HEIGHT)).frames == 3
    with pytest.raises(ImagingError) as caught:
        read_header(source, Limits(max_frames=2))
    assert caught.value.code == "too_many_frames"


@pytest.mark.parametrize(
    ("operations", "opaque", "clear"),
    [
        ([], "jpeg", "png"),
        ([Resize(width=32)], "jpeg", "png"),
        ([Compress(quality=50)], "jpeg", "png"),
        ([Compress(max_bytes=4_000)], "jpeg", "png"),
        ([Convert(format="auto")], "avif", "avif"),
        ([Convert(format="auto", accept=("jxl",))], "jxl", "jxl"),
        ([Convert(format="webp")], "webp", "webp"),
        ([Flip(), Convert(format="gif")], "gif", "gif"),
    ],
)
def test_a_heic_becomes_a_jpeg_or_a_png_where_it_is_transparent_unless_convert_says_otherwise(
    operations: list[object], opaque: str, clear: str, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    assert render(FOLDER / "rgb.heic", target, operations, Limits()).format == opaque  # type: ignore[arg-type]
    assert render(FOLDER / "alpha.heic", target, operations, Limits()).format == clear  # type: ignore[arg-type]


def test_transparency_is_that_of_the_picture(run: Run) -> None:
    _, image = run(FOLDER / "alpha.heic")
    expected = _pixels(Image.linear_gradient("L").resize((WIDTH, HEIGHT)))
    assert _psnr(_pixels(image.getchannel("A")), expected) > 40


def test_a_plan_names_the_format_that_a_heic_becomes() -> None:
    plan = explain(FOLDER / "rgb.heic", [], Limits())
    assert plan.lines()[-1] == "write    png, or jpeg if opaque: 128x64, metadata strip"


@pytest.mark.parametrize(("primaries", "transfer"), [(12, 13), (9, 16), (9, 18), (5, 4), (1, 8)])
def test_code_points_mean_what_they_mean_in_a_png(primaries: int, transfer: int, save: Save) -> None:
    for name, depth in (("rgb.heic", 8), ("rgb10.heic", 16)):
        plain = heic(picture(name))
        tagged = save(heic(picture(name, colours=nclx(primaries, transfer))), "tagged")
        samples = _decoded(save(plain, "plain"))
        if depth == 16:
            from libs.imaging.pillow_adapter import open_image

            with open_image(save(plain, "plain"), "heic") as image:
                image.load()
                samples = getattr(image, "deep_samples").astype(np.int32)  # noqa: B009
        kind = np.uint8 if depth == 8 else np.uint16
        cicp = (b"cICP", bytes([primaries, transfer, 0, 1]))
        same = save(png(samples.astype(kind), cicp, depth=depth), "same.png")
        assert np.abs(_decoded(tagged) - _decoded(same)).max() <= 1


def test_a_profile_is_converted_or_kept(save: Save, run: Run) -> None:
    from libs.imaging.colour.profile_writer import icc_profile
    from libs.imaging.colour.spaces import CodePoints, from_code_points

    space = from_code_points(CodePoints(9, 4, 0, full_range=True), television="srgb")
    assert space
    profile = icc_profile(space, grey=False)
    source = save(heic(picture(colours=box(b"colr", b"prof" + profile))), "in.heic")
    plain = _decoded(save(heic(picture()), "plain.heic"))
    same = save(Image.fromarray(plain.astype(np.uint8)), "same.png", icc_profile=profile)
    assert np.abs(_decoded(source) - _decoded(same)).max() <= 1
    _, kept = run(source, Metadata(color="keep"), PNG)
    assert kept.info["icc_profile"] == profile
    assert np.array_equal(_pixels(kept), plain)


def _with_metadata(save: Save) -> Path:
    block = Image.Exif()
    block[271], block[274], block[0x8298] = "Maker", 6, "Owner"
    gps = block.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (52.0, 30.0, 0.0), "E", (13.0, 20.0, 0.0)
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="52,30N" '
        b'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="Roll 7"/></rdf:RDF></x:xmpmeta>'
    )
    return save(heic(picture(), exif(block.tobytes()[6:]), xmp(packet)), "in.heic")


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "avif", "tiff", "jxl"])
def test_metadata_is_stripped_kept_or_kept_without_the_place(name: str, save: Save, tmp_path: Path) -> None:
    source, target = _with_metadata(save), tmp_path / "out"
    known = describe(source, Limits())
    assert known.exif
    assert known.exif.gps
    assert known.exif.make == "Maker"
    render(source, target, [Convert(format=name)], Limits())  # type: ignore[arg-type]
    assert not any(part in target.read_bytes() for part in (b"Maker", b"Roll 7", b"Owner", b"52,30N"))
    for mode, place, all_else in (
        ("keep", True, True),
        ("strip_location", False, True),
        ("keep_copyright", False, False),
    ):
        render(source, target, [Metadata(mode=mode), Convert(format=name)], Limits())  # type: ignore[arg-type]
        found = describe(target, Limits())
        assert found.exif
        assert found.exif.copyright == "Owner"
        assert (found.exif.make == "Maker", "Roll 7" in (found.xmp or "")) == (all_else, all_else)
        assert (found.exif.gps is not None, "52,30N" in (found.xmp or "")) == (place, place)
        assert found.orientation == 1


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"heim"])
def test_every_brand_of_still_pictures_is_heic(brand: bytes, save: Save) -> None:
    header = read_header(save(heic(picture(), brand=brand), "in.jpg"), Limits())
    assert (header.format, header.mime, header.extension) == ("heic", "image/heic", "heic")


def test_a_picture_in_another_codec_is_named(save: Save, tmp_path: Path) -> None:
    other = Item(type=b"j2k1", data=b"\xff\x4f\xff\x51", properties=[ispe(8, 8)])
    with pytest.raises(ImagingError) as caught:
        render(save(heic(other, brand=b"mif1"), "in"), tmp_path / "out", [], Limits())
    assert caught.value.code == "feature_not_supported"
