"""PQ and HLG become sRGB without clipped highlights."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from libs.imaging.operations import Convert, Crop, Metadata, Resize
from tests.imaging.conftest import Run, Save
from tests.imaging.png_files import cicp, png
from tests.imaging.test_described_colours import avif

PQ, HLG = 16, 18
WHITE = 203  # cd/m2
RAMP = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)


def pq_eotf(coded: float) -> float:
    """Return cd/m2 (SMPTE ST 2084, with its constants as published)."""
    root = coded ** (1 / 78.84375)
    return 10_000 * (max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)


def pq_inverse(light: float) -> float:
    power = (light / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hlg_display(coded: float) -> float:
    """Return cd/m2 of a grey pixel on a display of 1,000 cd/m2 (ITU-R BT.2100)."""
    scene = coded**2 / 3 if coded <= 0.5 else (math.exp((coded - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return 1000 * scene**1.2


def shown_grey(light: float, peak: float) -> float:
    """Return the grey in sRGB, 0 to 255, of light in cd/m2 in a picture with that peak (ITU-R BT.2390)."""
    if peak > WHITE:
        source = pq_inverse(peak)
        target = pq_inverse(WHITE) / source
        knee = 1.5 * target - 0.5
        value = pq_inverse(light) / source
        if value > knee:
            t = (value - knee) / (1 - knee)
            value = (
                (2 * t**3 - 3 * t**2 + 1) * knee
                + (t**3 - 2 * t**2 + t) * (1 - knee)
                + (-2 * t**3 + 3 * t**2) * target
            )
        light = pq_eotf(value * source)
    linear = min(light / WHITE, 1)
    return 255 * (linear * 12.92 if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055)


def _pixels(image: Any) -> NDArray[np.int64]:
    return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize("greatest", [100, 148, 192, 220, 255])
def test_grey_follows_the_recommendations_up_to_the_peak_of_the_picture(
    transfer: int, greatest: int, save: Save, run: Run
) -> None:
    light = pq_eotf if transfer == PQ else hlg_display
    peak = max(light(greatest / 255), WHITE)
    expected = [shown_grey(light(min(code, greatest) / 255), peak) for code in range(256)]
    _, result = run(save(png(np.minimum(RAMP, greatest).astype(np.uint8), cicp(9, transfer)), "in.png"))
    shown = _pixels(result)[0]
    assert np.abs(shown - np.array(expected)[:, None]).max() <= 1
    _, grey = run(save(png(np.minimum(RAMP, greatest)[..., 0].astype(np.uint8), cicp(9, transfer)), "g.png"))
    assert np.abs(_pixels(grey)[0] - np.array(expected)[:, None]).max() <= 1


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_highlights_are_compressed_and_not_clipped(transfer: int, save: Save, run: Run) -> None:
    colours = np.concatenate([RAMP * np.array(tint) for tint in [(1, 1, 1), (1, 0.5, 0.3), (0.4, 1, 0.6)]])
    _, result = run(save(png(colours.astype(np.uint8), cicp(12, transfer)), "in.png"))
    steps = _pixels(result)[:, 170:240:10] - _pixels(result)[:, 160:230:10]
    assert steps[0].min() > 0
    assert np.abs(steps).max(axis=2).min() > 0


def test_a_picture_in_the_range_of_srgb_looks_as_before(save: Save, run: Run) -> None:
    pixels = np.random.default_rng(5).integers(30, 256, (12, 12, 3))
    linear = np.where(pixels / 255 <= 0.04045, pixels / 255 / 12.92, ((pixels / 255 + 0.055) / 1.055) ** 2.4)
    coded: NDArray[np.float64] = np.vectorize(pq_inverse)(linear * WHITE)
    source = save(png(np.round(coded * 255).astype(np.uint8), cicp(1, PQ)), "in.png")
    error = np.abs(_pixels(run(source)[1]) - pixels)
    assert error.max() <= 4  # PQ of 8 bits has half as many levels here


def test_a_crop_and_a_thumbnail_are_as_bright_as_the_whole(save: Save, run: Run) -> None:
    samples = np.full((64, 64, 3), 120, dtype=np.uint8)
    samples[:4, :4] = 250
    source = save(png(samples, cicp(9, PQ)), "in.png")
    whole = _pixels(run(source)[1])[40, 40]
    part = _pixels(run(source, Crop(x=20, y=20, width=30, height=30))[1])[20, 20]
    small = _pixels(run(source, Resize(width=16))[1])[10, 10]
    assert (whole == part).all()
    assert (whole == small).all()


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_png_and_avif_keep_high_dynamic_range_and_others_do_not(transfer: int, save: Save, run: Run) -> None:
    samples = np.full((16, 16, 3), 180, dtype=np.uint8)
    samples[:, 8:] = 120
    light = pq_eotf if transfer == PQ else hlg_display
    expected = shown_grey(light(120 / 255), max(light(180 / 255), WHITE))
    for source in (
        save(png(samples, cicp(9, transfer)), "in.png"),
        save(avif(samples, 9, transfer), "in.avif"),
    ):
        for name in ("png", "avif"):
            kept: Any = run(source, Convert(format=name), Metadata(color="keep"))[1]
            assert np.abs(_pixels(kept)[4, 4] - 180).max() <= 2
            again = save(Path(kept.filename).read_bytes(), f"again.{name}")
            shown = _pixels(run(again, Convert(format="png"))[1])[8, 12]
            assert np.abs(shown - expected).max() <= 3
        for name in ("jpeg", "webp", "tiff", "bmp", "gif"):
            converted = run(source, Convert(format=name), Metadata(color="keep"))[1]
            assert np.abs(_pixels(converted)[8, 12] - expected).max() <= 3, name
            assert "icc_profile" not in converted.info
