"""CMYK without a profile takes the operator's; the reference is libvips with a profile for coated paper."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from libs.imaging.limits import Limits
from libs.imaging.operations import Convert, Metadata
from libs.settings import SettingsError, load_settings
from tests.imaging.conftest import Run

INKS = np.random.default_rng(3).integers(0, 256, (12, 16, 4)).astype(np.uint8)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "coated.icc"
    blob: Any = pyvips.Image.profile_load("cmyk")
    path.write_bytes(bytes(blob))
    return path


def _expected(profile: Path) -> NDArray[np.int64]:
    picture: Any = pyvips.Image.new_from_array(INKS).copy(interpretation="cmyk")
    shown = picture.icc_transform("srgb", input_profile=str(profile), intent="perceptual")
    return shown.numpy().astype(int)


def _pixels(run: Run, path: Path, limits: Limits, *more: Any) -> NDArray[np.int64]:
    return np.asarray(run(path, Convert(format="png"), *more, limits=limits)[1]).astype(int)


def test_untagged_cmyk_takes_the_profile(profile: Path, tmp_path: Path, run: Run) -> None:
    limits, expected = Limits(cmyk_profile=profile), _expected(profile)
    image = Image.frombytes("CMYK", (16, 12), INKS.tobytes())
    image.save(tmp_path / "in.tiff")
    assert np.abs(_pixels(run, tmp_path / "in.tiff", limits) - expected).max() <= 3
    assert np.abs(_pixels(run, tmp_path / "in.tiff", limits, Metadata(color="keep")) - expected).max() <= 3
    assert np.abs(_pixels(run, tmp_path / "in.tiff", Limits()) - expected).max() > 40

    flat = Image.new("CMYK", (16, 16), (200, 40, 90, 20))
    flat.save(tmp_path / "in.jpg", quality=100, subsampling=0)
    flat.save(tmp_path / "flat.tiff")
    of_jpeg, of_tiff = (_pixels(run, tmp_path / name, limits) for name in ("in.jpg", "flat.tiff"))
    assert np.abs(of_jpeg - of_tiff).max() <= 3

    with_alpha = np.concatenate([INKS, np.full((12, 16, 1), 99, dtype=np.uint8)], axis=2)
    tifffile.imwrite(
        tmp_path / "alpha.tiff",
        with_alpha,
        photometric="separated",
        extrasamples=["unassalpha"],
        planarconfig="contig",
    )
    clear = _pixels(run, tmp_path / "alpha.tiff", limits)
    assert np.abs(clear[..., :3] - expected).max() <= 3
    assert (clear[..., 3] == 99).all()


def test_an_embedded_profile_counts_more(profile: Path, tmp_path: Path, run: Run) -> None:
    image = Image.frombytes("CMYK", (16, 12), INKS.tobytes())
    image.save(tmp_path / "in.tiff", icc_profile=profile.read_bytes())
    other = tmp_path / "other.icc"
    swapped = bytearray(profile.read_bytes())
    swapped[130] ^= 1  # another file with the same colour space
    other.write_bytes(swapped)
    pixels = _pixels(run, tmp_path / "in.tiff", Limits(cmyk_profile=other))
    assert np.abs(pixels - _expected(profile)).max() <= 3


def test_a_profile_that_cannot_serve_stops_the_start(profile: Path, tmp_path: Path) -> None:
    srgb: Any = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))  # pyright: ignore
    (tmp_path / "srgb.icc").write_bytes(srgb.tobytes())
    (tmp_path / "cut.icc").write_bytes(profile.read_bytes()[:-1])
    (tmp_path / "text.icc").write_text("not a profile")

    def settings(name: str) -> Any:
        return load_settings(
            {"DARKROOM_CMYK_PROFILE": str(tmp_path / name), "DARKROOM_DATA_DIR": str(tmp_path)},
            with_secret=False,
        )

    for name, message in [
        ("srgb.icc", "a profile for RGB, not for CMYK"),
        ("cut.icc", "is no ICC profile"),
        ("text.icc", "is no ICC profile"),
        ("missing.icc", "No such file"),
    ]:
        with pytest.raises(SettingsError, match=f"DARKROOM_CMYK_PROFILE: .*{message}"):
            settings(name)
    assert settings("coated.icc").image_limits.cmyk_profile == profile
