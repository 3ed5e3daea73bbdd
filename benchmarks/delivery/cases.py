"""The transformations to measure, as Darkroom, ipx and thumbor spell them, and the photographs for them."""

import os
from pathlib import Path
from typing import Literal

import numpy as np
from msgspec import Struct
from PIL import Image

from benchmarks.imaging.source_images import make_sources

PHOTOS = 100
SIZE = (2040, 1360)  # of the photographs that imgproxy/image-servers-benchmark uses, on average
LARGE, SMALL = 60, 100  # names of the photographs of 12 and 2 megapixels

Format = Literal["jpeg", "webp", "avif"]


class Case(Struct, frozen=True):
    """A photograph scaled to a width, or to fit into a square, at a quality."""

    title: str
    photos: str  # the folder of the sources
    width: int
    square: bool
    format: Format
    quality: int

    @property
    def preset(self) -> str:
        """The name of the preset."""
        return f"{self.photos}-{self.format}"

    @property
    def operations(self) -> list[dict[str, object]]:
        """What Darkroom's preset says."""
        height = {"height": self.width, "fit": "inside"} if self.square else {}
        return [
            {"op": "resize", "width": self.width, **height},
            {"op": "convert", "format": self.format, "quality": self.quality},
        ]

    def steps(self, number: int) -> str:
        """Return the same as steps of an address: each number is a rendition of its own.

        It is the colour below transparency, of which photographs have none.
        """
        height = f",h_{self.width},fit_inside" if self.square else ""
        size = f"w_{self.width}{height}"
        return f"{size}:convert,format_{self.format},quality_{self.quality},background_{number:06x}"

    @property
    def ipx(self) -> str:
        """The modifiers of ipx."""
        height = f",h_{self.width},fit_inside" if self.square else ""
        return f"w_{self.width}{height},f_{self.format},q_{self.quality}"

    @property
    def thumbor(self) -> str:
        """The part of thumbor's address before the source."""
        size = f"fit-in/{self.width}x{self.width}" if self.square else f"{self.width}x0"
        return f"{size}/filters:format({self.format}):quality({self.quality})"


CASES = (
    Case("12 MP JPEG to 800 px JPEG", "12mp", 800, False, "jpeg", 80),
    Case("2 MP JPEG to 300 px WebP", "2mp", 300, False, "webp", 80),
    Case("100 photos into 512 x 512, JPEG", "photos", 512, True, "jpeg", 80),
    Case("100 photos into 512 x 512, WebP", "photos", 512, True, "webp", 75),
    Case("100 photos into 512 x 512, AVIF", "photos", 512, True, "avif", 65),
)


def make_photos(folder: Path) -> None:
    """Write the photographs into folders of `folder`; those of one size are one file under several names."""
    made = folder.parent / "made"
    made.mkdir()
    make_sources(made)
    for name, file, count in (("12mp", "12.jpg", LARGE), ("2mp", "2.jpg", SMALL)):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            os.link(made / file, folder / name / f"{number}.jpg")
    (folder / "photos").mkdir()
    places = np.random.default_rng(1)
    with Image.open(made / "24.jpg") as large:
        for number in range(PHOTOS):
            left, top = (
                int(places.integers(0, whole - part)) for whole, part in zip(large.size, SIZE, strict=True)
            )
            photo = large.crop((left, top, left + SIZE[0], top + SIZE[1]))
            photo.save(folder / "photos" / f"{number}.jpg", quality=90)
