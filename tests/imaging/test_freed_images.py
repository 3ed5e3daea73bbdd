"""A render process frees the pixels of each image at once, without its garbage collector."""

import gc
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from libs.imaging.operations import Convert, Resize, Rotate
from tests.imaging.conftest import Run, Save

FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "photo.jpg": ("RGB", {}),
    "cmyk.jpg": ("CMYK", {}),
    "rgb.png": ("RGB", {}),
    "rgba.png": ("RGBA", {}),
    "palette.png": ("P", {}),
    "keyed.png": ("L", {"transparency": 0}),
    "lossy.webp": ("RGB", {}),
    "clear.webp": ("RGBA", {"lossless": True}),
    "palette.gif": ("P", {}),
    "photo.avif": ("RGB", {"speed": 10}),
    "photo.jxl": ("RGB", {}),
    "photo.tiff": ("RGB", {}),
    "deflated.tiff": ("RGBA", {"compression": "tiff_adobe_deflate"}),
    "photo.bmp": ("RGB", {}),
}


@pytest.fixture
def uncollected() -> Generator[Callable[[], int]]:
    """Return a function that counts the images that are alive; the garbage collector does not run."""
    gc.collect()
    gc.disable()
    yield lambda: sum(isinstance(each, Image.Image) for each in gc.get_objects())
    gc.enable()


@pytest.mark.parametrize("name", [*FILES, "moving.webp", "moving.gif", "moving.png"])
def test_a_render_leaves_no_image_to_the_garbage_collector(
    name: str, photos: Path, save: Save, run: Run, uncollected: Callable[[], int]
) -> None:
    source = _file(name, photos, save)
    run(source, Resize(width=40))  # what is loaded once, such as a profile, is not counted
    before = uncollected()
    run(source, Resize(width=40), Rotate(angle=30), Convert(format="webp"))
    assert uncollected() == before


def _file(name: str, photos: Path, save: Save) -> Path:
    with Image.open(photos / "coffee.png") as image:
        photo = image.convert("RGB").resize((120, 80))
    if name.startswith("moving"):
        frames = [photo.rotate(90 * turn) for turn in range(3)]
        return save(frames[0], name, save_all=True, append_images=frames[1:], duration=50)
    mode, options = FILES[name]
    return save(photo.convert(mode), name, **options)
