"""Pixels are scaled in one place, safely, and the same with SIMD instructions and without."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from libs.imaging.geometry import Box, Size, full_box
from libs.imaging.resampling import Filter, scale, scale_axis_by_pillow, scale_by_axis, simd_axis
from tests.imaging.float_reference import Floats, as_floats, lanczos, psnr

ROOT = Path(__file__).parents[2]
KERNELS: tuple[Filter, ...] = ("lanczos", "bicubic", "bilinear")

BOXES: list[tuple[Size, Box | None]] = [
    ((160, 120), None),
    ((900, 700), None),
    ((300, 40), Box(100, 50, 400, 350)),
    ((77, 333), Box(10.25, 3.5, 200.75, 171.3)),
    ((512, 512), Box(0.4, 0, 511.9, 512)),
]


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBa", "CMYK"])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("size", "box"), BOXES)
def test_a_photo_is_scaled_the_same_with_simd_and_without(
    photos: Path, mode: str, kernel: Filter, size: Size, box: Box | None
) -> None:
    axis = simd_axis()
    assert axis is not None, "the machine has no SIMD instructions"
    photo = _photo(photos).convert("CMYK" if mode == "CMYK" else "RGBA" if mode == "RGBa" else mode)
    photo = photo.convert(mode)
    box = box or full_box(photo.size)
    made = scale_by_axis(axis, photo, size, kernel, box)
    expected = scale_by_axis(scale_axis_by_pillow, photo, size, kernel, box)
    difference = np.abs(as_floats(made) - as_floats(expected))
    assert difference.max() <= 2
    assert np.mean(difference > 1) < 1 / 20_000


def _photo(photos: Path) -> Image.Image:
    with Image.open(photos / "astronaut.png") as image:
        return image.convert("RGB")


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_pixels_leave_no_fringe(mode: str) -> None:
    """A disc of one colour on clear pixels of the opposite one."""
    picture = Image.new("RGBA", (300, 300), (255, 255, 255, 0))
    ImageDraw.Draw(picture).ellipse((40, 40, 260, 260), fill=(10, 10, 10, 255))
    picture = picture.convert(mode)
    made = as_floats(scale(picture, (61, 47)))
    expected = _premultiplied(as_floats(picture), (61, 47))
    assert psnr(_premultiply(made), expected) > 50
    visible = made[..., -1] > 12
    assert np.abs(made[visible][:, :-1] - 10).max() <= 12  # of 245 to a white fringe


def _premultiply(pixels: Floats) -> Floats:
    return np.concatenate([pixels[..., :-1] * pixels[..., -1:] / 255, pixels[..., -1:]], axis=2)


def _premultiplied(pixels: Floats, size: Size) -> Floats:
    return lanczos(_premultiply(pixels), size)


@pytest.mark.parametrize("level", [1, 127, 254, 255])
@pytest.mark.parametrize("side", [1, 2, 3, 7, 50, 333, 1999])
def test_one_colour_stays_one_colour(level: int, side: int) -> None:
    """The weights of every window add up to 1, so that an opaque picture stays opaque."""
    for kernel in KERNELS:
        for before in (5, 64, 1000):
            flat = scale(Image.new("L", (before, 3), level), (side, 2), kernel)
            assert flat.getextrema() == (level, level)


def test_a_box_is_scaled_with_the_pixels_around_it() -> None:
    ramp = Image.linear_gradient("L").resize((256, 64))
    part = scale(ramp, (32, 20), "lanczos", Box(64, 16, 128, 36))
    whole = scale(ramp, (128, 64), "lanczos").crop((32, 16, 64, 36))
    assert np.abs(as_floats(part) - as_floats(whole)).max() <= 1


@pytest.mark.parametrize(
    "box", [Box(5, 0, 5, 9), Box(-1, 0, 5, 9), Box(0, 0, 11, 9), Box(float("nan"), 0, 5, 9)]
)
def test_a_box_without_an_area_or_outside_the_image_is_refused(box: Box) -> None:
    with pytest.raises(ValueError, match="not inside"):
        scale(Image.new("L", (10, 10)), (4, 4), "lanczos", box)


def test_enlarging_one_side_of_a_long_picture_takes_no_memory_for_both() -> None:
    made = _run_python("""
import resource
from PIL import Image
from libs.imaging.resampling import scale
scale(Image.new("L", (10, 10)), (5, 5))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
scale(Image.new("RGB", (16000, 4)), (4, 16000))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
""")
    assert int(made.stdout) < 20_000  # KiB


def test_no_pixel_outside_an_image_is_read() -> None:
    """A kernel of the library that reads outside ends the process with a signal."""
    command = [sys.executable, "-m", "tests.imaging.guarded_scaling", "3000"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


BROKEN = {
    "missing": "sys.modules['cykooz_resizer'] = None",
    "of another result": "cykooz_resizer.Resizer.resize_pil = lambda *_: None",
    "raises": "cykooz_resizer.Resizer.resize_pil = lambda: None",
    "no instructions": "cykooz_resizer.Resizer.cpu_extensions = cykooz_resizer.CpuExtensions.none",
    "another Pillow": "PIL.__version__ = '99.0.0'",
}


@pytest.mark.parametrize("name", BROKEN)
def test_without_a_library_that_works_pillow_scales_with_one_warning(
    name: str, photos: Path, tmp_path: Path
) -> None:
    source, target = photos / "astronaut.png", tmp_path / "scaled.png"
    ran = _run_python(
        f"""
import sys
import cykooz_resizer
import PIL
{BROKEN[name]}
from PIL import Image
from libs.imaging.resampling import scale
with Image.open({str(source)!r}) as image:
    scale(image, (3, 3))
    scale(image.convert("RGB"), (100, 90)).save({str(target)!r})
"""
    )
    assert ran.stderr.count("without SIMD") == 1
    with Image.open(target) as made:
        expected = scale(_photo(photos), (100, 90))
        assert np.abs(as_floats(made) - as_floats(expected)).max() <= 1


def _run_python(code: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
