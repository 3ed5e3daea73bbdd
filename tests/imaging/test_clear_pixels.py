"""Clear pixels have no colour: whatever their channels hold, results are those of the visible pixels."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from libs.imaging.blurhash import blurhash
from libs.imaging.dominant_colours import dominant_colours
from libs.imaging.operations import Autocontrast, Crop, Equalize, Resize, Trim
from libs.imaging.operations.operation import no_assets

Pixels = NDArray[np.uint8]
LUMA = np.array([19595, 38470, 7471])  # ITU-R BT.601, as Pillow rounds it


def pictures(count: int) -> Iterator[tuple[Image.Image, Image.Image]]:
    """Yield small pictures with clear parts, each twice: with different colours below the clear pixels."""
    random = np.random.default_rng(7)
    for _ in range(count):
        height, width = (int(side) for side in random.integers(8, 40, 2))
        low, high = sorted(int(level) for level in random.integers(0, 256, 2))
        colours = random.integers(low, high + 1, (height, width, 3), dtype=np.uint8)
        alpha = np.where(random.random((height, width)) < 0.5, 0, 255).astype(np.uint8)
        hidden = random.integers(0, 256, colours.shape, dtype=np.uint8)
        clear = (alpha == 0)[..., None]
        alpha[0, 0] = 255
        first = np.dstack([np.where(clear, 0, colours), alpha]).astype(np.uint8)
        second = np.dstack([np.where(clear, hidden, colours), alpha]).astype(np.uint8)
        first[0, 0, :3] = second[0, 0, :3] = colours[0, 0]
        yield Image.fromarray(first), Image.fromarray(second)


def visible(image: Image.Image) -> Pixels:
    pixels = np.asarray(image.convert("RGBA"))
    return pixels[pixels[..., 3] > 0][:, :3]


def stretched(colours: Pixels) -> Any:
    """Stretch brightness to the full range, from the definition."""
    luma = (colours @ LUMA + 0x8000) >> 16
    low, high = int(luma.min()), int(luma.max())
    if low == high:
        return colours
    return np.clip(np.floor((colours.astype(float) - low) * 255 / (high - low) + 0.5), 0, 255)


def equalized(colours: Pixels) -> Any:
    """Replace each value by how many values are at most as large, from the definition."""
    channels: list[Any] = []
    for channel in colours.T:
        lowest = int((channel == channel.min()).sum())
        rank: Any = (channel[None] <= channel[:, None]).sum(axis=1)
        spread = len(channel) - lowest
        channels.append(np.floor((rank - lowest) * 255 / spread + 0.5) if spread else channel)
    return np.stack(channels, axis=1)


def test_autocontrast_stretches_what_is_visible() -> None:
    for plain, hidden in pictures(150):
        expected = stretched(visible(plain))
        for image in (plain, hidden):
            assert np.array_equal(visible(Autocontrast().apply(image.copy())), expected)


def test_equalize_spreads_what_is_visible() -> None:
    for plain, hidden in pictures(150):
        expected = equalized(visible(plain))
        for image in (plain, hidden):
            assert np.array_equal(visible(Equalize().apply(image.copy())), expected)


def test_all_frames_share_the_histogram_of_what_is_visible() -> None:
    first, second = (hidden for _, hidden in pictures(2))
    second = second.resize(first.size, Image.Resampling.NEAREST)
    both = np.concatenate([visible(first), visible(second)])
    for operation, expected in ((Autocontrast(), stretched(both)), (Equalize(), equalized(both))):
        apply = operation.prepare([first.copy(), second.copy()], no_assets)
        results = [visible(apply(image.copy())) for image in (first, second)]
        assert np.array_equal(np.concatenate(results), expected)


@pytest.mark.parametrize(
    "operation", [Autocontrast(), Equalize(), Trim(), Crop(width=4, height=9, gravity="smart")]
)
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_an_image_that_is_clear_everywhere_passes(operation: Any, mode: str) -> None:
    image = Image.merge("RGBA", [Image.linear_gradient("L")] * 3 + [Image.new("L", (256, 256))]).convert(mode)
    result = operation.apply(image.copy())
    assert result.getchannel("A").getextrema() == (0, 0)


def test_grey_with_alpha_is_stretched_as_its_colours_are() -> None:
    for _, hidden in pictures(20):
        grey = hidden.convert("LA")
        expected = stretched(visible(grey))
        assert np.array_equal(visible(Autocontrast().apply(grey.copy())), expected)


def test_trim_keeps_the_box_of_what_is_visible() -> None:
    random = np.random.default_rng(3)
    for _ in range(150):
        height, width = (int(side) for side in random.integers(12, 40, 2))
        alpha = np.zeros((height, width), np.uint8)
        top, left = (int(at) for at in random.integers(1, 6, 2))
        alpha[top : height - 2, left : width - 3] = random.integers(60, 256)
        colours = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
        image = Image.fromarray(np.dstack([colours, alpha]))
        assert Trim().apply(image.copy()).size == (width - 3 - left, height - 2 - top)


@pytest.mark.parametrize("colour", ["black", "white", "gray", "red", "#808080"])
def test_a_smart_crop_finds_a_logo_of_any_colour_on_clear_ground(colour: str) -> None:
    for left, ground in ((10, (0, 0, 0, 0)), (120, (255, 255, 255, 0)), (240, (9, 200, 9, 0))):
        image = Image.new("RGBA", (320, 60), ground)
        ImageDraw.Draw(image).ellipse((left, 10, left + 40, 50), fill=colour)
        cropped = Crop(width=60, height=60, gravity="smart").apply(image.copy())
        assert np.asarray(cropped.getchannel("A")).sum() == np.asarray(image.getchannel("A")).sum()
        covered = Resize(width=60, height=60, fit="cover", gravity="smart").apply(image.copy())
        assert np.array_equal(np.asarray(covered.getchannel("A")), np.asarray(cropped.getchannel("A")))


def test_a_smart_crop_ignores_detail_below_clear_pixels() -> None:
    random = np.random.default_rng(5)
    pixels = np.zeros((40, 200, 4), np.uint8)
    pixels[:, :100, :3] = random.integers(0, 256, (40, 100, 3))  # noise that nobody sees
    pixels[10:30, 150:180] = (0, 90, 0, 255)
    cropped = Crop(width=50, height=40, gravity="smart").apply(Image.fromarray(pixels))
    assert np.asarray(cropped.getchannel("A")).sum() == 20 * 30 * 255


def test_the_blurhash_is_that_of_the_picture_on_grey() -> None:
    for plain, hidden in pictures(40):
        assert blurhash(hidden) == blurhash(plain)
        even = hidden.resize((32, 32), Image.Resampling.NEAREST)
        over_grey = Image.new("RGBA", even.size, (128, 128, 128, 255))
        over_grey.alpha_composite(even)
        assert blurhash(even) == blurhash(over_grey.convert("RGB"))


def test_dominant_colours_are_those_of_visible_pixels() -> None:
    random = np.random.default_rng(9)
    for _ in range(40):
        palette = random.integers(0, 256, (3, 3), dtype=np.uint8)
        chosen = random.choice(3, (30, 40), p=[0.6, 0.3, 0.1])
        alpha = np.where(random.random(chosen.shape) < 0.4, 0, 255).astype(np.uint8)
        noise = random.integers(0, 256, (*chosen.shape, 3), dtype=np.uint8)
        colours = np.where((alpha == 0)[..., None], noise, palette[chosen])
        found = dominant_colours(Image.fromarray(np.dstack([colours, alpha])))
        assert found == tuple("#" + bytes(colour).hex() for colour in palette)
