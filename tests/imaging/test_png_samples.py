"""Samples of a PNG mean what the file says at every depth: transparent colours, 16 bits, grey with alpha."""

import struct
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image

from libs.imaging.describe import describe
from libs.imaging.limits import Limits
from libs.imaging.operations import Convert
from tests.imaging.conftest import Run, Save
from tests.imaging.png_files import chunk, cicp, gama, png
from tests.imaging.test_high_dynamic_range import WHITE, pq_eotf, shown_grey

RANDOM = np.random.default_rng(11)


def _rgba(image: Image.Image) -> NDArray[np.int64]:
    return np.asarray(image.convert("RGBA")).astype(int)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_transparent_grey_is_clear_at_every_depth(depth: int, save: Save, run: Run) -> None:
    greatest = 2**depth - 1
    source = Path()
    for key in {0, 1, greatest // 2, greatest - 1, greatest}:
        samples = np.minimum(np.arange(16).reshape(4, 4, 1) * max(greatest // 15, 1), greatest)
        samples[0, 0], samples[1, 1] = key, (key ^ 1)
        for junk in (0, 0x100) if depth == 8 else (0,):  # only the low bits of the key count
            source = save(png(samples, (b"tRNS", struct.pack(">H", key | junk)), depth=depth), "in.png")
            pixels = _rgba(run(source, Convert(format="png"))[1])
            assert (pixels[..., 3] == np.where(samples[..., 0] == key, 0, 255)).all(), (depth, key)
            opaque = pixels[..., 3] == 255
            assert np.abs(pixels[..., 0] - samples[..., 0] * 255 / greatest)[opaque].max(initial=0) <= 1
        assert describe(source, Limits()).has_alpha


@pytest.mark.parametrize("depth", [8, 16])
def test_the_transparent_rgb_is_clear_and_its_neighbours_are_not(depth: int, save: Save, run: Run) -> None:
    greatest = 2**depth - 1
    for key in ([0, 0, 0], [greatest] * 3, [18, 86, 154], RANDOM.integers(2, greatest - 1, 3).tolist()):
        samples = np.tile(np.array(key), (3, 3, 1))
        neighbours = [(0, 1, 0, 1), (1, 0, 1, 1), (1, 2, 2, 1)]
        for row, column, channel, step in neighbours:
            samples[row, column, channel] ^= step
        source = save(png(samples, (b"tRNS", struct.pack(">3H", *key)), depth=depth), "in.png")
        expected = np.full((3, 3), 0)
        for row, column, _, _ in neighbours:
            expected[row, column] = 255
        assert (_rgba(run(source, Convert(format="png"))[1])[..., 3] == expected).all(), key
        assert describe(source, Limits()).has_alpha


def test_a_sixteen_bit_colour_that_differs_in_the_low_byte_stays_opaque(save: Save, run: Run) -> None:
    samples = np.array([[[0x1234, 0x5678, 0x9ABC], [0x1234, 0x5678, 0x9ABD], [0xFFFF, 0, 0]]])
    source = save(png(samples, (b"tRNS", struct.pack(">3H", 0x1234, 0x5678, 0x9ABC)), depth=16), "in.png")
    pixels = _rgba(run(source, Convert(format="png"))[1])
    assert pixels[0].tolist() == [[18, 86, 154, 0], [18, 86, 154, 255], [255, 0, 0, 255]]


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_every_palette_entry_has_its_own_alpha(depth: int, save: Save, run: Run) -> None:
    entries = 2**depth
    palette = RANDOM.integers(0, 256, (entries, 3)).astype(np.uint8)
    alpha = np.frombuffer(RANDOM.bytes(max(entries // 2, 1)), dtype=np.uint8).copy()
    alpha[0] = 0
    indices = np.arange(256).reshape(16, 16, 1) % entries
    source = save(png(indices, (b"tRNS", alpha.tobytes()), depth=depth, palette=palette.tobytes()), "in.png")
    pixels = _rgba(run(source, Convert(format="png"))[1])
    full: NDArray[np.int64] = np.append(alpha, np.full(entries - len(alpha), 255, dtype=np.uint8)).astype(int)
    assert (pixels[..., 3] == full[indices[..., 0]]).all()
    shown = pixels[..., 3] > 0
    assert (pixels[..., :3] == palette[indices[..., 0]])[shown].all()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_are_converted_before_they_become_eight(channels: int, save: Save, run: Run) -> None:
    """Linear light of 16 bits has dark shades that its high bytes have not."""
    samples = RANDOM.integers(0, 2000, (16, 16, channels))
    light = samples / 65_535
    expected = 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    if channels in {2, 4}:
        samples[..., -1] = 77 * 257
        expected[..., -1] = 77
    for told in (gama(1.0), cicp(1, 8)):
        _, result = run(save(png(samples, told, depth=16), "in.png"), Convert(format="png"))
        pixels = np.asarray(result).astype(int).reshape(16, 16, channels)
        assert np.abs(pixels - expected).max() <= 0.51, told


def test_sixteen_bit_pq_has_the_accuracy_of_its_samples(save: Save, run: Run) -> None:
    for channels, greatest in product((1, 3), (30_000, 65_535)):
        coded = np.linspace(0, greatest, 256).astype(int)
        samples = np.repeat(coded[None, :, None], channels, axis=2)
        peak = max(pq_eotf(greatest / 65_535), WHITE)
        expected = [shown_grey(pq_eotf(code / 65_535), peak) for code in coded.tolist()]
        _, result = run(save(png(samples, cicp(9, 16), depth=16), "in.png"), Convert(format="png"))
        assert np.abs(_rgba(result)[0, :, 0] - np.array(expected)).max() <= 0.6


def test_sixteen_bit_grey_with_alpha_stays_grey(save: Save, run: Run) -> None:
    samples: Any = np.stack([np.arange(256), 255 - np.arange(256)], axis=1)[None] * 257
    source = save(png(samples, depth=16), "in.png")
    _, result = run(source, Convert(format="png"))
    assert result.mode == "LA"
    assert (np.asarray(result)[0] == samples[0] // 257).all()
    assert describe(source, Limits()).has_alpha


def test_interlaced_sixteen_bit_pixels_are_exact(save: Save, run: Run) -> None:
    samples = RANDOM.integers(0, 2000, (19, 23, 3)).astype(np.uint16)
    picture: Any = pyvips.Image.new_from_array(samples).copy(interpretation="rgb16")
    data = picture.pngsave_buffer(interlace=True, bitdepth=16)
    source = save(data[:33] + chunk(*gama(1.0)) + data[33:], "in.png")
    light = samples / 65_535
    expected = 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(_rgba(run(source, Convert(format="png"))[1])[..., :3] - expected).max() <= 0.51
