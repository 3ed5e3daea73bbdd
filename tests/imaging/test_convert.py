"""Convert: automatic formats, palettes and encoder options."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from libs.imaging.operations import Convert
from tests.imaging.conftest import Run, Save
from tests.imaging.float_reference import as_floats, psnr


@pytest.mark.parametrize(
    ("accept", "opaque", "transparent"),
    [
        (["avif", "webp", "jpeg", "png"], "avif", "avif"),
        (["jpeg", "webp"], "webp", "webp"),
        (["jpeg", "png"], "jpeg", "png"),
        ([], "jpeg", "png"),
    ],
)
def test_auto_chooses_the_best_accepted_format(
    accept: list[Any], opaque: str, transparent: str, save: Save, run: Run
) -> None:
    convert = Convert(format="auto", accept=tuple(accept))
    assert run(save(Image.new("RGB", (20, 20)), "in.bmp"), convert)[0].format == opaque
    assert run(save(Image.new("RGBA", (20, 20)), "in.png"), convert)[0].format == transparent
    solid = Image.new("RGBA", (20, 20), (1, 2, 3, 255))
    assert run(save(solid, "in.png"), convert)[0].format == opaque


def test_auto_keeps_an_animation(save: Save, run: Run) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    source = save(frames[0], "in.gif", save_all=True, append_images=frames[1:], duration=100)
    assert run(source, Convert(format="auto", accept=("webp",)))[0].frames == 2
    facts, _ = run(source, Convert(format="auto", accept=()))
    assert (facts.format, facts.frames) == ("png", 2)


@pytest.mark.parametrize("name", ["png", "gif"])
@pytest.mark.parametrize("colours", [2, 16, 256])
def test_a_palette_has_at_most_that_many_colours(name: Any, colours: int, photos: Path, run: Run) -> None:
    facts, image = run(photos / "astronaut.png", Convert(format=name, colors=colours))
    assert (image.mode, facts.format) == ("P", name)
    found = image.convert("RGB").getcolors(512 * 512)
    assert found
    assert len(found) <= colours


def test_a_gif_keeps_all_of_256_colours(save: Save, run: Run) -> None:
    colours = np.random.default_rng(1).integers(0, 256, (256, 3), dtype=np.uint8)
    pixels = colours[np.arange(4096).reshape(64, 64) % 256]
    _, image = run(save(Image.fromarray(pixels), "few.png"), Convert(format="gif"))
    assert np.array_equal(np.asarray(image.convert("RGB")), pixels)


@pytest.mark.parametrize("photo", ["astronaut.png", "coffee.png", "chelsea.png", "retina.jpg", "rocket.jpg"])
def test_a_gifs_palette_is_nearer_than_a_median_cut_of_all_colours(
    photo: str, photos: Path, run: Run
) -> None:
    _, all_colours = run(photos / photo, Convert(format="png"))
    pixels, median_cut = as_floats(all_colours), all_colours.quantize(256, Image.Quantize.MEDIANCUT)
    _, image = run(photos / photo, Convert(format="gif"))
    assert psnr(image.convert("RGB"), pixels) >= psnr(median_cut.convert("RGB"), pixels) + 0.5


def test_encoder_options_take_effect(photos: Path, run: Run) -> None:
    source = photos / "astronaut.png"
    with Image.open(source) as image:
        pixels = as_floats(image)
    assert np.array_equal(as_floats(run(source, Convert(format="webp", lossless=True))[1]), pixels)
    assert psnr(run(source, Convert(format="avif", lossless=True))[1], pixels) >= 48
    _, progressive = run(source, Convert(format="jpeg", progressive=True))
    assert progressive.info.get("progressive")
    for name in ("jpeg", "avif"):
        sharp, thin = (
            run(source, Convert(format=name, quality=60, subsampling=ratio))[0].size_bytes
            for ratio in ("4:4:4", "4:2:0")
        )
        assert thin < sharp
    for name in ("png", "webp", "jpeg"):
        fast, slow = (run(source, Convert(format=name, effort=effort))[0].size_bytes for effort in (0, 9))
        assert slow < fast
