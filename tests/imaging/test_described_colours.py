"""Colours told by code points, gamma or chromaticities become sRGB; the values are Chromium's."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from libs.imaging.colour.profile_writer import icc_profile
from libs.imaging.colour.spaces import SRGB_PRIMARIES, ColourSpace
from libs.imaging.operations import Convert, Metadata
from tests.imaging.conftest import Run, Save
from tests.imaging.png_files import chrm, cicp, gama, png
from tests.imaging.png_files import chunk as png_chunk

STORED = np.array([[[200, 150, 100], [30, 60, 200], [90, 220, 40]]], dtype=np.uint8)

SRGB = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
DISPLAY_P3 = (0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
ADOBE_RGB = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06)

SHOWN_BY_CODE_POINTS = {
    (1, 13): ((200, 150, 100), (30, 60, 200), (90, 220, 40)),
    (2, 13): ((200, 150, 100), (30, 60, 200), (90, 220, 40)),
    (4, 13): ((221, 146, 92), (0, 82, 206), (0, 215, 0)),
    (5, 13): ((202, 150, 101), (28, 60, 199), (77, 220, 48)),
    (6, 13): ((197, 150, 99), (39, 65, 201), (102, 217, 37)),
    (7, 13): ((197, 150, 99), (39, 65, 201), (102, 217, 37)),
    (8, 13): ((214, 148, 92), (0, 54, 207), (0, 226, 0)),
    (9, 13): ((227, 142, 90), (0, 60, 210), (0, 231, 0)),
    (10, 13): ((255, 45, 96), (0, 88, 212), (0, 255, 0)),
    (11, 13): ((207, 148, 91), (19, 59, 208), (21, 224, 0)),
    (12, 13): ((209, 147, 91), (17, 61, 208), (0, 223, 0)),
    (22, 13): ((201, 150, 100), (30, 70, 200), (83, 215, 39)),
    (9, 1): ((225, 136, 80), (0, 48, 207), (0, 229, 0)),
    (9, 2): ((200, 150, 100), (30, 60, 200), (90, 220, 40)),
    (9, 4): ((229, 144, 89), (0, 57, 211), (0, 232, 0)),
    (9, 5): ((218, 121, 63), (0, 33, 198), (0, 224, 0)),
    (9, 6): ((225, 136, 80), (0, 48, 207), (0, 229, 0)),
    (9, 7): ((232, 155, 106), (0, 78, 216), (0, 235, 0)),
    (9, 8): ((247, 198, 163), (0, 136, 238), (73, 247, 81)),
    (9, 11): ((225, 136, 80), (0, 48, 207), (0, 229, 0)),
    (9, 14): ((225, 136, 80), (0, 48, 207), (0, 229, 0)),
    (9, 15): ((225, 136, 80), (0, 48, 207), (0, 229, 0)),
    (9, 17): ((230, 134, 74), (0, 42, 210), (0, 235, 0)),
    (9, 3): ((200, 150, 100), (30, 60, 200), (90, 220, 40)),
}

SHOWN_BY_GAMMA = {
    (0.45455, None): ((200, 150, 100), (30, 60, 200), (90, 220, 40)),
    (0.45455, SRGB): ((201, 151, 100), (24, 57, 201), (89, 221, 35)),
    (0.45455, DISPLAY_P3): ((210, 149, 91), (6, 58, 209), (0, 224, 0)),
    (0.45455, ADOBE_RGB): ((217, 151, 97), (0, 57, 205), (0, 221, 0)),
    (1.0, None): ((229, 202, 168), (96, 133, 229), (160, 239, 110)),
    (1.0, SRGB): ((229, 202, 168), (96, 133, 229), (160, 239, 110)),
    (1.0, DISPLAY_P3): ((235, 200, 164), (85, 134, 236), (134, 242, 88)),
    (1.0, ADOBE_RGB): ((239, 202, 167), (75, 133, 232), (108, 239, 100)),
    (0.55556, None): ((210, 167, 119), (40, 77, 210), (109, 227, 53)),
    (0.55556, DISPLAY_P3): ((218, 165, 112), (24, 78, 218), (33, 230, 0)),
    (0.55556, ADOBE_RGB): ((225, 167, 117), (1, 77, 214), (0, 227, 14)),
    (0.35, None): ((187, 129, 74), (7, 34, 187), (64, 212, 16)),
    (0.35, ADOBE_RGB): ((205, 129, 71), (0, 34, 191), (0, 212, 0)),
}

SHOWN_OF_AVIF = {
    (1, 1): ((200, 150, 99), (29, 61, 199), (89, 221, 39)),
    (9, 1): ((227, 142, 88), (0, 61, 208), (0, 232, 0)),
    (12, 13): ((209, 147, 90), (14, 62, 207), (0, 225, 0)),
    (9, 14): ((227, 142, 88), (0, 61, 208), (0, 232, 0)),
    (9, 4): ((229, 144, 88), (0, 58, 210), (0, 233, 0)),
    (12, 8): ((235, 200, 163), (83, 136, 236), (132, 242, 86)),
    (1, 5): ((189, 131, 75), (7, 37, 187), (65, 214, 16)),
    (2, 2): ((200, 150, 99), (29, 61, 199), (89, 221, 39)),
}


def avif(samples: Any, primaries: int, transfer: int, **options: Any) -> bytes:
    """Encode an AVIF whose nclx box has the given code points."""
    file = io.BytesIO()
    Image.fromarray(samples).save(file, "AVIF", quality=100, subsampling="4:4:4", **options)
    data = bytearray(file.getvalue())
    struct.pack_into(">HH", data, data.index(b"colrnclx") + 8, primaries, transfer)
    return bytes(data)


def _error(image: Image.Image, expected: Any) -> int:
    return int(np.abs(np.asarray(image.convert("RGB")).astype(int)[0] - np.array(expected)).max())


def test_code_points_of_a_png_are_shown_as_in_chromium(save: Save, run: Run) -> None:
    for code_points, shown in SHOWN_BY_CODE_POINTS.items():
        _, result = run(save(png(STORED, cicp(*code_points)), "in.png"))
        assert _error(result, shown) <= 1, code_points
        assert not {"icc_profile", "gamma", "chromaticity"} & set(result.info)


def test_gamma_and_chromaticities_of_a_png_are_shown_as_in_chromium(save: Save, run: Run) -> None:
    for (gamma, primaries), shown in SHOWN_BY_GAMMA.items():
        chunks = [gama(gamma)] + ([chrm(primaries)] if primaries else [])
        assert _error(run(save(png(STORED, *chunks), "in.png"))[1], shown) <= 1, (gamma, primaries)


def test_code_points_of_an_avif_are_shown_as_in_chromium(save: Save, run: Run) -> None:
    wide = np.repeat(np.repeat(STORED, 8, axis=0), 8, axis=1)
    for code_points, shown in SHOWN_OF_AVIF.items():
        _, result = run(save(avif(wide, *code_points), "in.avif"), Convert(format="png"))
        middle = np.asarray(result.convert("RGB")).astype(int)[4, 4::8]
        assert np.abs(middle - np.array(shown)).max() <= 2, code_points


def _with_another_colour_box(data: bytes, primaries: int, transfer: int) -> bytes:
    """Put a colour box that belongs to no picture before the others of an AVIF."""
    box = struct.pack(">I4s4sHHHB", 19, b"colr", b"nclx", primaries, transfer, 0, 0x80)
    result = bytearray(data)
    for name in (b"meta", b"iprp", b"ipco"):
        at = result.index(name) - 4
        struct.pack_into(">I", result, at, struct.unpack_from(">I", result, at)[0] + len(box))
    at = result.index(b"ipma") + 4
    assert result[at : at + 4] == bytes(4)
    entries = struct.unpack_from(">I", result, at + 4)[0]
    at += 8
    for _ in range(entries):
        for number in range(at + 3, at + 3 + result[at + 2]):
            result[number] += 1
        at += 3 + result[at + 2]
    place = struct.pack(">I", data.index(b"mdat") + 4)
    result = result.replace(place, struct.pack(">I", data.index(b"mdat") + 4 + len(box)))
    at = result.index(b"ipco") + 4
    return bytes(result[:at] + box + result[at:])


def test_the_colours_of_another_picture_in_an_avif_do_not_count(save: Save, run: Run) -> None:
    wide = np.repeat(np.repeat(STORED, 8, axis=0), 8, axis=1)
    source = save(_with_another_colour_box(avif(wide, 12, 13), 9, 16), "in.avif")
    _, result = run(source, Convert(format="png"))
    middle = np.asarray(result.convert("RGB")).astype(int)[4, 4::8]
    assert np.abs(middle - np.array(SHOWN_OF_AVIF[12, 13])).max() <= 2


def test_an_animated_avif_is_converted(save: Save, run: Run) -> None:
    wide = np.repeat(np.repeat(STORED, 8, axis=0), 8, axis=1)
    frames = {"save_all": True, "append_images": [Image.fromarray(wide[:, ::-1].copy())], "duration": 100}
    data = bytearray(avif(wide, 12, 13, **frames))
    at = data.find(b"colrnclx")
    while at >= 0:
        struct.pack_into(">HH", data, at + 8, 12, 13)
        at = data.find(b"colrnclx", at + 8)
    facts, result = run(save(bytes(data), "in.avif"), Convert(format="png"))
    assert facts.frames == 2
    middle = np.asarray(result.convert("RGB")).astype(int)[4, 4::8]
    assert np.abs(middle - np.array(SHOWN_OF_AVIF[12, 13])).max() <= 3


def test_cicp_comes_before_the_profile_and_srgb_before_gamma(save: Save, run: Run) -> None:
    profile = icc_profile(ColourSpace(primaries=SRGB_PRIMARIES, curve=1.0), grey=False)
    iccp = (b"iCCP", b"linear\0\0" + zlib.compress(profile))
    srgb = (b"sRGB", b"\0")
    p3, linear = SHOWN_BY_CODE_POINTS[12, 13], SHOWN_BY_GAMMA[1.0, None]
    plain = SHOWN_BY_CODE_POINTS[1, 13]
    for chunks, shown in [
        ([cicp(12, 13), iccp], p3),
        ([cicp(12, 13), srgb, gama(1.0)], p3),
        ([iccp, cicp(1, 13)], plain),
        ([iccp, srgb, gama(0.45455)], linear),
        ([iccp, cicp(12, 3)], linear),
        ([(b"iCCP", b"broken\0\0nonsense"), gama(1.0)], linear),
        ([srgb, gama(1.0), chrm(DISPLAY_P3)], plain),
        ([chrm(DISPLAY_P3)], plain),
        ([gama(0), chrm(DISPLAY_P3)], plain),
        ([gama(0.45455), chrm((0, 0, 0, 0, 0, 0))], plain),
        ([(b"cICP", bytes([12, 13, 1, 1])), gama(1.0)], linear),
        ([(b"cICP", b"\x0c\x0d")], plain),
    ]:
        assert _error(run(save(png(STORED, *chunks), "in.png"))[1], shown) <= 1, chunks


def test_narrow_range_is_expanded(save: Save, run: Run) -> None:
    narrow = np.array([[[0, 16, 235], [255, 16 + 219 // 3, 235 - 219 // 3]]], dtype=np.uint8)
    _, result = run(save(png(narrow, cicp(1, 13, full_range=False)), "in.png"))
    assert _error(result, ((0, 0, 255), (255, 85, 170))) <= 1


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "1"])
@pytest.mark.parametrize("chunk", [cicp(1, 8), gama(1.0)])
def test_every_pixel_mode_is_converted_and_alpha_stays(
    mode: str, chunk: tuple[bytes, bytes], save: Save, run: Run
) -> None:
    grey = Image.new("LA" if "A" in mode else "L", (4, 4), (128, 77) if "A" in mode else 128)
    file = io.BytesIO()
    images = {"P": grey.convert("L").quantize(2), "1": Image.new("1", (4, 4), 1)}
    images.get(mode, grey.convert(mode)).save(file, "PNG")
    data = file.getvalue()
    with_chunk = data[:33] + png_chunk(*chunk) + data[33:]
    _, result = run(save(with_chunk, "in.png"))
    pixel: Any = result.convert("RGBA").getpixel((1, 1))
    expected = 255 if mode == "1" else 188
    assert np.abs(np.subtract(pixel, (expected,) * 3 + ((77,) if "A" in mode else (255,)))).max() <= 1


@pytest.mark.parametrize("name", ["png", "avif", "jpeg", "webp", "tiff"])
def test_kept_colours_are_described_in_every_format(name: Any, save: Save, run: Run) -> None:
    wide = np.repeat(np.repeat(STORED, 16, axis=0), 16, axis=1)
    sources = [
        (save(png(wide, cicp(12, 13)), "cicp.png"), SHOWN_BY_CODE_POINTS[12, 13]),
        (save(png(wide, gama(1.0), chrm(ADOBE_RGB)), "gama.png"), SHOWN_BY_GAMMA[1.0, ADOBE_RGB]),
        (save(avif(wide, 9, 4), "in.avif"), SHOWN_OF_AVIF[9, 4]),
    ]
    for source, shown in sources:
        kept: Any
        _, kept = run(source, Convert(format=name, quality=100, subsampling="4:4:4"), Metadata(color="keep"))
        pixels = np.asarray(kept.convert("RGB")).astype(int)[8, 8::16]
        assert np.abs(pixels - STORED[0].astype(int)).max() <= 5, source
        again = save(Path(str(kept.filename)).read_bytes(), f"again.{name}")
        middle = np.asarray(run(again, Convert(format="png"))[1].convert("RGB")).astype(int)[8, 8::16]
        assert np.abs(middle - np.array(shown)).max() <= 9, source
