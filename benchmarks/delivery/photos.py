"""Make the photographs to measure with, alike those of imgproxy/image-servers-benchmark."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.imaging.source_images import make_sources
from benchmarks.peers.installed import cache_folder

PHOTOS = 100
SIZE = (2040, 1360)
LARGE, SMALL = 60, 100  # names of the photographs of 12 and 2 megapixels
QUALITY: dict[str, dict[str, Any]] = {
    "jpeg": {"quality": 90},
    "webp": {"quality": 75},
    "avif": {"quality": 65, "speed": 9},
}
"""The photographs are there in each of these formats, and become the same format."""


def photos_folder() -> Path:
    """Return a folder with a folder of photographs for each case; write them at the first call."""
    folder = cache_folder() / "photos-1"
    if not folder.exists():
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        _make(partial)
        shutil.rmtree(partial / "made")
        partial.rename(folder)
    return folder


def _make(folder: Path) -> None:
    made = folder / "made"
    made.mkdir(parents=True)
    make_sources(made)
    for name, file, count in (("large", "12.jpg", LARGE), ("small", "2.jpg", SMALL)):
        (folder / name).mkdir()
        for number in range(count):
            os.link(made / file, folder / name / f"{number}.jpg")
    for name in QUALITY:
        (folder / name).mkdir()
    places = np.random.default_rng(1)
    with Image.open(made / "24.jpg") as large:
        room = [whole - part for whole, part in zip(large.size, SIZE, strict=True)]
        for number in range(PHOTOS):
            left, top = (int(places.integers(0, most)) for most in room)
            photo = large.crop((left, top, left + SIZE[0], top + SIZE[1]))
            for name, options in QUALITY.items():
                photo.save(folder / name / f"{number}.{name}", **options)
