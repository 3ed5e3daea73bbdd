"""Filters compared with reference implementations in floating point."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from libs.imaging.operations import (
    AnyOperation,
    Autocontrast,
    Blur,
    Brightness,
    Contrast,
    Duotone,
    Equalize,
    Gamma,
    Grayscale,
    Invert,
    Posterize,
    Saturation,
    Sepia,
    Solarize,
    Tint,
    Vignette,
)
from tests.imaging.conftest import Run, Save
from tests.imaging.float_reference import Floats, gaussian, psnr

LUMA = np.array([0.299, 0.587, 0.114])
SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])


def _grey(pixels: Floats) -> Floats:
    return (pixels @ LUMA)[..., None]


def _between(pixels: Floats, *stops: tuple[float, float, float]) -> Floats:
    at = np.linspace(0, 255, len(stops))
    grey = _grey(pixels)[..., 0]
    return np.stack([np.interp(grey, at, [stop[band] for stop in stops]) for band in range(3)], axis=-1)


def _stretched(pixels: Floats) -> Floats:
    grey = np.floor(_grey(pixels) + 0.5)
    return (pixels - grey.min()) * 255 / (grey.max() - grey.min())


def _equalized(pixels: Floats) -> Floats:
    result = np.empty_like(pixels)
    for band in range(3):
        values = pixels[..., band].astype(int)
        totals = np.cumsum(np.bincount(values.ravel(), minlength=256))
        lowest = totals[totals > 0][0]
        result[..., band] = ((totals - lowest) * 255 / (totals[-1] - lowest))[values]
    return result


def _vignetted(pixels: Floats) -> Floats:
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width]
    squares = ((rows + 0.5) / (height / 2) - 1) ** 2 + ((columns + 0.5) / (width / 2) - 1) ** 2
    return pixels * (1 - 0.8 * squares / 2)[..., None]


FILTERS: list[tuple[AnyOperation, Callable[[Floats], Floats]]] = [
    (Sepia(), lambda pixels: pixels @ SEPIA.T),
    (Invert(), lambda pixels: 255 - pixels),
    (Brightness(factor=1.3), lambda pixels: pixels * 1.3),
    (Brightness(factor=0), lambda pixels: pixels * 0),
    (Contrast(factor=1.7), lambda pixels: (pixels - 127.5) * 1.7 + 127.5),
    (Contrast(factor=0.2), lambda pixels: (pixels - 127.5) * 0.2 + 127.5),
    (Saturation(factor=1.8), lambda pixels: _grey(pixels) + 1.8 * (pixels - _grey(pixels))),
    (Saturation(factor=0), lambda pixels: _grey(pixels) + 0 * pixels),
    (Gamma(gamma=2.2), lambda pixels: 255 * (pixels / 255) ** (1 / 2.2)),
    (Posterize(bits=2), lambda pixels: pixels // 64 * 64),
    (Solarize(threshold=100), lambda pixels: np.where(pixels < 100, pixels, 255 - pixels)),
    (Tint(color="#0080c0"), lambda pixels: _between(pixels, (0, 0, 0), (0, 128, 192), (255, 255, 255))),
    (Duotone(shadow="#102030", highlight="#f0e0d0"), lambda p: _between(p, (16, 32, 48), (240, 224, 208))),
    (Vignette(strength=0.8), _vignetted),
    (Autocontrast(), _stretched),
    (Equalize(), _equalized),
]


@pytest.fixture
def dull(photos: Path, save: Save) -> Path:
    """Return a photograph that does not use the full range of values."""
    with Image.open(photos / "coffee.png") as image:
        return save(image.point([40 + value // 2 for value in range(256)] * 3), "dull.png")


@pytest.mark.parametrize(("operation", "reference"), FILTERS, ids=lambda case: type(case).__name__)
def test_a_filter_equals_its_formula(
    operation: AnyOperation, reference: Callable[[Floats], Floats], dull: Path, run: Run
) -> None:
    with Image.open(dull) as image:
        pixels = np.asarray(image, dtype=np.float64)
    _, result = run(dull, operation)
    expected = np.clip(reference(pixels), 0, 255)
    assert psnr(result, expected) >= 50
    assert np.abs(np.asarray(result, dtype=float) - expected).max() <= 4


@pytest.mark.parametrize(("operation", "_"), FILTERS, ids=lambda case: type(case).__name__)
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_filter_leaves_transparency_alone(
    operation: AnyOperation, _: Any, mode: str, photos: Path, save: Save, run: Run
) -> None:
    with Image.open(photos / "coffee.png") as image:
        small = image.resize((60, 40)).convert(mode)
    alpha = Image.radial_gradient("L").resize((60, 40))
    small.putalpha(alpha)
    _, result = run(save(small, "in.png"), operation)
    assert np.array_equal(np.asarray(result.getchannel("A")), np.asarray(alpha))
    opaque = run(save(small.convert("RGB" if mode == "RGBA" else "L"), "in.png"), operation)[1]
    assert np.array_equal(np.asarray(result.convert("RGB")), np.asarray(opaque.convert("RGB")))


@pytest.mark.parametrize("sigma", [0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0])
def test_blur_is_gaussian(sigma: float, photos: Path, run: Run) -> None:
    with Image.open(photos / "coffee.png") as image:
        pixels = np.asarray(image, dtype=np.float64)
    assert psnr(run(photos / "coffee.png", Blur(sigma=sigma))[1], gaussian(pixels, sigma)) >= 50


def test_grey_images_stay_grey_where_they_can(photos: Path, run: Run) -> None:
    stay_grey = [
        Invert(),
        Brightness(factor=2),
        Contrast(factor=2),
        Saturation(factor=2),
        Vignette(),
        Equalize(),
    ]
    for operation in (*stay_grey, Grayscale(), Autocontrast(), Gamma(gamma=2), Posterize(bits=3), Solarize()):
        assert run(photos / "camera.png", operation)[1].mode == "L", operation


@pytest.mark.parametrize("operation", [Autocontrast(), Equalize()])
def test_an_animation_does_not_flicker(operation: AnyOperation, save: Save, run: Run) -> None:
    frames = [Image.new("RGB", (8, 8), (level, level, level)) for level in (60, 100, 180)]
    source = save(frames[0], "in.png", save_all=True, append_images=frames[1:], duration=100)
    _, image = run(source, operation)
    with Image.open(str(image.filename)) as result:  # pyright: ignore
        levels: list[Any] = []
        for number in range(3):
            result.seek(number)
            levels.append(result.convert("L").getpixel((4, 4)))
    assert levels[0] == 0
    assert 60 < levels[1] < 150
    assert levels[2] == 255


def test_autocontrast_ignores_the_cutoff(save: Save, run: Run) -> None:
    image = Image.new("L", (100, 1), 100)
    image.paste(150, (50, 0, 98, 1))
    image.paste(0, (98, 0, 99, 1))
    image.paste(255, (99, 0, 100, 1))
    values = np.asarray(run(save(image, "in.png"), Autocontrast(cutoff=2))[1])[0]
    assert (values[0], values[60], values[98], values[99]) == (0, 255, 0, 255)
