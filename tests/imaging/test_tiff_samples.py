"""Every type of sample in a TIFF means what the file says, or is refused by name."""

import struct
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
import tifffile
from numpy.typing import NDArray
from PIL import Image

from libs.imaging.colour.profile_writer import icc_profile
from libs.imaging.colour.spaces import SRGB_PRIMARIES, ColourSpace
from libs.imaging.describe import describe
from libs.imaging.errors import FeatureNotSupported
from libs.imaging.limits import Limits
from libs.imaging.operations import Convert, Frames
from tests.imaging.conftest import Run

GREATEST = {"u1": 255, "u2": 65_535, "u4": 2**32 - 1, "f2": 1, "f4": 1, "f8": 1, "u8": 2**32 - 1}
RAMP = np.linspace(0, 1, 48 * 20 * 4).reshape(20, 48, 4)
PHOTOMETRIC = {"miniswhite": 1, "minisblack": 1, "rgb": 3, "separated": 4}


def _pixels(run: Run, path: Path) -> NDArray[np.int64]:
    pixels = np.asarray(run(path, Convert(format="png"))[1]).astype(int)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _shown(values: NDArray[np.float64], photometric: str) -> NDArray[np.float64]:
    """Return the expected levels, 0 to 255, of samples from 0 to 1."""
    if photometric == "miniswhite":
        return 255 * (1 - values)
    if photometric == "separated":  # without a profile: the product of paper minus ink
        return 255 * (1 - values[..., :3]) * (1 - values[..., 3:])
    return 255 * values


def test_every_type_and_order_of_samples_is_decoded(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "in.tiff"
    for kind, photometric, order, planar, compression in product(
        GREATEST, PHOTOMETRIC, "<>", ("contig", "separate"), (None, "zlib")
    ):
        channels = PHOTOMETRIC[photometric]
        if channels == 1 and planar == "separate":
            continue
        values = RAMP[..., :channels]
        stored = (values * GREATEST[kind]).astype(kind)
        planes = np.moveaxis(stored, 2, 0) if planar == "separate" else stored.squeeze()
        tifffile.imwrite(
            path,
            planes,
            photometric=photometric,
            planarconfig=planar if channels > 1 else None,
            byteorder=order,  # pyright: ignore[reportArgumentType]
            compression=compression,
            predictor=compression is not None and kind[0] == "u" and kind != "u8",
            rowsperstrip=7,
        )
        error = np.abs(_pixels(run, path) - _shown(values, photometric)).max()
        assert error <= 3, (kind, photometric, order, planar, compression)


@pytest.mark.parametrize("alpha", ["unassalpha", "assocalpha", "unspecified"])
def test_alpha_is_kept_with_every_type_of_samples(alpha: str, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "in.tiff"
    share = np.linspace(0.25, 1, 48 * 20).reshape(20, 48, 1)
    for kind, photometric, order in product(GREATEST, PHOTOMETRIC, "<>"):
        values = RAMP[..., : PHOTOMETRIC[photometric]]
        stored = values * share if alpha == "assocalpha" else values
        samples = (np.concatenate([stored, share], axis=2) * GREATEST[kind]).astype(kind)
        tifffile.imwrite(
            path,
            samples,
            photometric=photometric,
            extrasamples=[alpha],
            planarconfig="contig",
            byteorder=order,  # pyright: ignore[reportArgumentType]
        )
        pixels = _pixels(run, path)
        expected = _shown(values, photometric)
        if alpha != "unspecified":
            assert np.abs(pixels[..., -1:] - 255 * share).max() <= 1, (kind, photometric, order)
            pixels = pixels[..., :-1]
        assert pixels.shape == expected.shape, (kind, photometric)
        tolerance = 9 if alpha == "assocalpha" and kind in {"u1", "u2", "f2"} else 3
        assert np.abs(pixels - expected).max() <= tolerance, (kind, photometric, order)


def test_what_libvips_writes_is_read(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "in.tiff"
    for kind, channels, compression, tile, big in product(
        ("float", "ushort", "uint"), (1, 2, 3, 4), ("none", "lzw", "deflate"), (False, True), (False, True)
    ):
        greatest = {"float": 1.0, "ushort": 65_535, "uint": 2**32 - 1}[kind]
        values = RAMP[..., :channels]
        numpy_type = {"float": "f4", "ushort": "u2", "uint": "u4"}[kind]
        picture: Any = pyvips.Image.new_from_array((values * greatest).astype(numpy_type))
        picture = picture.copy(interpretation="b-w" if channels < 3 else "rgb")
        predictor = "float" if kind == "float" else "horizontal"
        picture.tiffsave(
            str(path),
            compression=compression,
            predictor=predictor if compression != "none" else "none",
            tile=tile,
            tile_width=32,
            tile_height=16,
            bigtiff=big,
        )
        error = np.abs(_pixels(run, path) - 255 * values).max()
        assert error <= 2, (kind, channels, compression, tile, big)


def test_lab_is_converted_at_both_depths_and_with_alpha(tmp_path: Path, run: Run) -> None:
    """Compare with LittleCMS in floating point, through libvips."""
    path = tmp_path / "in.tiff"
    lightness = np.linspace(15, 95, 40)[None, :] * np.ones((12, 1))
    lab = np.stack(
        [lightness, np.linspace(-12, 12, 12)[:, None] * np.ones((1, 40)), lightness / 5 - 10], axis=2
    )
    vips: Any = pyvips.Image.new_from_array(lab.astype("f4"))
    expected = vips.copy(interpretation="lab").icc_export(output_profile="srgb").numpy().astype(int)
    signed8 = (lab * np.array([2.55, 1, 1])).round()
    signed16 = (lab * np.array([655.35, 256, 256])).round()
    offset8 = signed8 + np.array([0, 128, 128])
    offset16 = lab * np.array([652.8, 256, 256]) + np.array([0, 32_768, 32_768])
    encodings = {
        ("cielab", "u1"): signed8.astype(int).astype("u1"),
        ("cielab", "u2"): signed16.astype(int).astype("u2"),
        ("icclab", "u1"): offset8.astype("u1"),
        ("icclab", "u2"): offset16.round().astype("u2"),
    }
    for (photometric, kind), stored in encodings.items():
        for alpha in (False, True):
            share = np.full((12, 40, 1), 128 if kind == "u1" else 128 * 257, dtype=kind)
            tifffile.imwrite(
                path,
                np.concatenate([stored, share], axis=2) if alpha else stored,
                photometric=photometric,
                planarconfig="contig",
                extrasamples=["unassalpha"] if alpha else None,
            )
            pixels = _pixels(run, path)
            assert pixels.shape[2] == (4 if alpha else 3)
            assert np.abs(pixels[..., :3] - expected).max() <= 6, (photometric, kind, alpha)
            assert not alpha or (pixels[..., 3] == 128).all()


def test_sixteen_bit_white_is_zero(tmp_path: Path, run: Run) -> None:
    for order in "<>":
        tifffile.imwrite(
            tmp_path / "in.tiff",
            np.array([[0, 0x8000, 0xFFFF]], dtype="u2"),
            photometric="miniswhite",
            byteorder=order,  # pyright: ignore[reportArgumentType]
        )
        assert _pixels(run, tmp_path / "in.tiff")[0, :, 0].tolist() == [255, 127, 0]


def test_twelve_bits_are_not_dark(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "in.tiff"
    values = np.arange(0, 4096, 64, dtype=np.uint16)
    bits = np.unpackbits(values.astype(">u2").view(np.uint8).reshape(-1, 2), axis=1)[:, 4:]
    path.write_bytes(_tiff(np.packbits(bits.ravel()).tobytes(), len(values), 1, bits=(12,)))
    assert np.abs(_pixels(run, path)[0, :, 0] - values // 16).max() <= 1


def test_the_range_of_unnormalised_values(tmp_path: Path, run: Run) -> None:
    """White is 1, or the end of 8, 16 or 32 bits, or what the file says; highlights above 1 are clipped."""
    path = tmp_path / "in.tiff"
    ramp = np.linspace(0, 1, 256, dtype="f4")[None]
    highlights = ramp.copy()
    highlights[0, -3:] = 40.0
    not_finite = ramp.copy()
    not_finite[0, :2] = [np.nan, np.inf]
    for values, expected in [
        (ramp, 255 * ramp),
        (ramp * 255, 255 * ramp),
        (ramp * 65_535, 255 * ramp),
        (ramp * 1e9, 255 * ramp * 1e9 / (2**32 - 1)),
        (highlights, 255 * np.minimum(highlights, 1)),
        (not_finite, 255 * np.where(np.isnan(not_finite), 0, np.minimum(not_finite, 1))),
        ((ramp * 255).astype("u4"), 255 * ramp),
        ((ramp * 65_535).astype("u4"), 255 * ramp),
        ((ramp * 32_767).astype("i2"), 255 * ramp),
        ((ramp * 127).astype("i1"), 255 * ramp),
        ((ramp * 255).astype("i4"), 255 * ramp),
    ]:
        tifffile.imwrite(path, values, photometric="minisblack")
        assert np.abs(_pixels(run, path)[..., 0] - expected).max() <= 3
    given = [(340, "f", 1, -2.0, True), (341, "f", 1, 6.0, True)]
    tifffile.imwrite(path, ramp * 8 - 2, photometric="minisblack", extratags=given)
    assert np.abs(_pixels(run, path)[..., 0] - 255 * ramp).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_samples_are_turned_upright(orientation: int, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "in.tiff"
    values = (RAMP[..., :3] * (2**32 - 1)).astype("u4")
    tag = (274, "H", 1, orientation, True)
    tifffile.imwrite(path, values, photometric="rgb", extratags=[tag])
    deep = _pixels(run, path)
    tifffile.imwrite(path, (values >> 24).astype("u1"), photometric="rgb", extratags=[tag])
    assert (deep == _pixels(run, path)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["u2", "u4", "f4"])
@pytest.mark.parametrize("alpha", ["none", "unassalpha", "assocalpha"])
def test_dark_shades_of_deep_grey_survive_a_profile(
    kind: str, orientation: int, alpha: str, tmp_path: Path, run: Run
) -> None:
    path = tmp_path / "in.tiff"
    light = np.random.default_rng(4).random((9, 14, 1)) ** 4
    light[0, 0] = 1
    share = np.full((9, 14, 1), 0.5)
    samples = {
        "none": light,
        "unassalpha": np.concatenate([light, share], axis=2),
        "assocalpha": np.concatenate([light * share, share], axis=2),
    }[alpha]
    order = "<" if orientation % 2 else ">"
    for photometric in ("minisblack", "miniswhite") if alpha == "none" else ("minisblack",):
        stored = 1 - samples if photometric == "miniswhite" else samples
        tifffile.imwrite(
            path,
            (stored * GREATEST[kind]).astype(kind).squeeze(),
            photometric=photometric,
            planarconfig="contig" if alpha != "none" else None,
            extrasamples=None if alpha == "none" else [alpha],
            byteorder=order,
            iccprofile=icc_profile(ColourSpace(primaries=SRGB_PRIMARIES, curve=1.0), grey=True),
            extratags=[(274, "H", 1, orientation, True)],
        )
        expected = Image.fromarray(light[..., 0].astype("f4"))
        turn = [None, 0, 3, 1, 5, 4, 6, 2][orientation - 1]
        if turn is not None:
            expected = expected.transpose(Image.Transpose(turn))
        upright = np.asarray(expected).astype(float)
        coded = np.where(upright <= 0.0031308, upright * 12.92, 1.055 * upright ** (1 / 2.4) - 0.055)
        pixels = _pixels(run, path)
        assert np.abs(pixels[..., 0] - 255 * coded).max() <= 1, photometric
        assert alpha == "none" or np.abs(pixels[..., 1] - 127.5).max() <= 1


def _tiff(data: bytes, width: int, height: int, bits: tuple[int, ...], **tags: int) -> bytes:
    """Write a little-endian TIFF with one strip; `tags` replace others by number, as `t259`."""
    entries: dict[int, tuple[int, ...]] = {
        256: (width,),
        257: (height,),
        258: bits,
        259: (1,),
        262: (1 if len(bits) == 1 else 2,),
        273: (8,),
        277: (len(bits),),
        278: (height,),
        279: (len(data),),
    }
    entries |= {
        int(name[1:]): (value,) * (len(bits) if name == "t339" else 1) for name, value in tags.items()
    }
    data += b"\0" * (len(data) % 2)
    at = 8 + len(data)
    directory, values = struct.pack("<H", len(entries)), b""
    for tag, numbers in sorted(entries.items()):
        packed = struct.pack(f"<{len(numbers)}H", *numbers)
        if len(packed) > 4:
            place = at + 2 + 12 * len(entries) + 4 + len(values)
            values, packed = values + packed, struct.pack("<I", place)
        directory += struct.pack("<HHI", tag, 3, len(numbers)) + packed.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<I", at) + data + directory + bytes(4) + values


@pytest.mark.parametrize(
    ("bits", "tags", "name"),
    [
        ((32,) * 2, {"t339": 6, "t262": 1}, "TIFF with 2 complex samples of 32 bits (grey)"),
        ((10,) * 3, {}, "TIFF with 3 unsigned samples of 10 bits (RGB)"),
        ((24,), {}, "TIFF with 1 unsigned samples of 24 bits (grey)"),
        ((16,) * 9, {}, "TIFF with 9 unsigned samples of 16 bits (RGB)"),
        ((5, 6, 5), {}, "TIFF with 3 unsigned samples of 5/6 bits (RGB)"),
        ((8,) * 3, {"t259": 34712}, "TIFF with JPEG 2000 compression (34712)"),
        ((8,) * 3, {"t259": 9999}, "TIFF with unknown compression (9999)"),
        ((32,) * 3, {"t262": 8}, "TIFF with 3 unsigned samples of 32 bits (CIELab)"),
        ((16,) * 5, {"t262": 5, "t338": 2, "t259": 7}, "TIFF with 5 unsigned samples of 16 bits (CMYK)"),
    ],
)
def test_what_cannot_be_decoded_is_refused_by_name(
    bits: tuple[int, ...], tags: dict[str, int], name: str, tmp_path: Path, run: Run
) -> None:
    path = tmp_path / "in.tiff"
    path.write_bytes(_tiff(bytes(8 * 8 * 40), 8, 8, bits, **tags))
    with pytest.raises(FeatureNotSupported, match="is not supported") as raised:
        run(path)
    assert raised.value.feature == name
    with pytest.raises(FeatureNotSupported):
        describe(path, Limits())


def test_a_later_page_of_another_type_is_decoded(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "in.tiff"
    with tifffile.TiffWriter(path) as writer:
        writer.write(np.zeros((8, 8, 3), dtype="u1"), photometric="rgb")
        writer.write(np.full((8, 8, 3), 0.5, dtype="f4"), photometric="rgb")
    image = run(path, Frames(frame=1), Convert(format="png"))[1]
    assert image.getpixel((3, 3)) == (128, 128, 128)
