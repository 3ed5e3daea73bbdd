"""Embedded colour profiles are converted to sRGB, kept, or ignored if damaged."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from libs.imaging.colour.profile_writer import icc_profile
from libs.imaging.colour.spaces import SRGB_PRIMARIES, ColourSpace
from libs.imaging.formats import FormatName
from libs.imaging.operations import Convert, Metadata, Resize
from tests.imaging.conftest import Run, Save
from tests.imaging.float_reference import to_srgb
from tests.imaging.png_files import png

ORANGE = (240, 120, 40)


def _colour(image: Image.Image) -> tuple[int, ...]:
    pixel = image.convert("RGB").getpixel((16, 12))
    assert isinstance(pixel, tuple)
    return tuple(int(channel) for channel in pixel)


def test_an_embedded_profile_becomes_srgb_and_is_dropped(photos: Path, run: Run) -> None:
    with Image.open(photos / "rocket.jpg") as image:
        expected = to_srgb(image, image.info["icc_profile"])
    _, result = run(photos / "rocket.jpg", Convert(format="png"))
    assert np.array_equal(np.asarray(result), np.asarray(expected))
    assert "icc_profile" not in result.info


def test_a_damaged_profile_is_ignored(save: Save, run: Run) -> None:
    source = save(Image.new("RGB", (32, 24), ORANGE), "in.png", icc_profile=b"nonsense" * 30)
    assert _colour(run(source)[1]) == ORANGE


def _swapped_profile() -> bytes:
    """Return a profile whose red and green are swapped, so that a conversion is easy to see."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())  # pyright: ignore
    tags = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * profile[131], 12)}
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    profile[red + 4 : red + 12], profile[green + 4 : green + 12] = (
        profile[green + 4 : green + 12],
        profile[red + 4 : red + 12],
    )
    return bytes(profile)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "avif", "tiff"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_are_converted_or_kept_together_with_their_profile(
    name: FormatName, mode: str, save: Save, run: Run
) -> None:
    if name == "jpeg" and mode == "RGBA":
        return
    profile = _swapped_profile()
    source = save(Image.new(mode, (20, 20), (200, 40, 40)), f"in.{name}", icc_profile=profile)
    _, converted = run(source, Convert(format="png"))
    with Image.open(source) as image:
        expected = to_srgb(image.convert("RGB"), profile).getpixel((9, 9))
    assert np.abs(np.subtract(converted.convert("RGB").getpixel((9, 9)), expected)).max() <= 3  # pyright: ignore
    _, kept = run(source, Resize(width=10), Metadata(color="keep"))
    assert kept.info["icc_profile"] == profile
    pixel: Any = kept.convert("RGB").getpixel((4, 4))
    assert np.abs(np.subtract(pixel, (200, 40, 40))).max() <= 4
    _, gif = run(source, Metadata(color="keep"), Convert(format="gif"))
    assert np.abs(np.subtract(gif.convert("RGB").getpixel((9, 9)), expected)).max() <= 4  # pyright: ignore


def _grey_profile(gamma: float) -> bytes:
    return icc_profile(ColourSpace(primaries=SRGB_PRIMARIES, curve=gamma), grey=True)


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.4])
@pytest.mark.parametrize("kind", ["8", "8 alpha", "16", "16 alpha", "tiff 8", "tiff 16 <", "tiff 16 >"])
def test_a_grey_profile_is_converted_at_every_depth_with_and_without_alpha(
    kind: str, gamma: float, save: Save, run: Run
) -> None:
    deep = "16" in kind
    coded: NDArray[np.int64] = np.arange(0, 256) * (257 if deep else 1)
    light: NDArray[np.float64] = (coded / coded.max()) ** gamma
    expected: NDArray[np.float64] = 255 * np.where(
        light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055
    )
    profile = _grey_profile(gamma)
    if kind.startswith("tiff"):
        samples = coded[None].astype((kind[-1] + "u2") if deep else "u1")
        source = save(b"", "in.tiff")
        tifffile.imwrite(source, samples, iccprofile=profile, byteorder=">" if kind[-1] == ">" else "<")
    else:
        samples = coded[None, :, None]
        if "alpha" in kind:
            samples = np.concatenate([samples, np.full_like(samples, coded[77])], axis=2)
        iccp = (b"iCCP", b"grey\0\0" + zlib.compress(profile))
        source = save(png(samples, iccp, depth=16 if deep else 8), "in.png")
    _, result = run(source, Convert(format="png"))
    assert result.mode == ("LA" if "alpha" in kind else "L")
    bands = np.asarray(result.convert("LA")).astype(int)[0]
    assert np.abs(bands[:, 0] - expected).max() <= 1
    assert (bands[:, 1] == (77 if "alpha" in kind else 255)).all()
    kept: Any = run(source, Convert(format="png"), Metadata(color="keep"))[1]
    assert kept.info["icc_profile"] == profile
    assert (np.asarray(kept.convert("LA"))[0, :, 0] == np.arange(256)).all()
