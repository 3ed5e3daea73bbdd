"""From an opened file to upright sRGB frames."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image, ImageChops
from PIL.Image import Resampling
from PIL.ImageFile import ImageFile

from libs.imaging.formats import FormatName
from libs.imaging.geometry import Size
from libs.imaging.modes import plain
from libs.imaging.opening import decoding
from libs.imaging.operations.resize import Scaling
from libs.imaging.orientation import UPRIGHT, read_orientation, stored_box, turn, turned_size
from libs.imaging.profiles import to_srgb

DRAFT_MARGIN = 1.25
"""How much larger than the result a JPEG is decoded: 50 dB to a full decode, at a quarter of its time."""


class Frame(NamedTuple):
    """One picture of an animation; the only one of a still."""

    image: Image.Image
    duration_ms: float


class Source:
    """An opened file."""

    def __init__(self, image: ImageFile, name: FormatName) -> None:
        self._image = image
        self._name: FormatName = name
        # Pillow turns a TIFF by itself as it loads, and tells its size accordingly.
        self._orientation = UPRIGHT if name == "tiff" else read_orientation(image)
        self._stored = image.size
        self.size: Size = turned_size(image.size, self._orientation)  # upright
        self.plays = _read_plays(image, name)

    def frames(self, count: int, scaling: Scaling | None) -> Iterator[Frame]:
        """Decode the first `count` frames one by one, each upright, in sRGB, and scaled already.

        Raises:
            SourceFault: The file is damaged or cut short.
        """
        skipped = 1 if count > 1 and getattr(self._image, "default_image", False) else 0
        for number in range(skipped, count):
            yield self._read(number, scaling)

    def _read(self, number: int, scaling: Scaling | None) -> Frame:
        with decoding():
            if number:
                self._image.seek(number)
            profile = self._image.info.get("icc_profile")
            extent = self._draft(scaling)
            self._image.load()
            duration_ms = float(self._image.info.get("duration") or 0)
            pixels = self._pixels()
            if number and pixels.size != self._stored:  # a GIF whose frame reaches beyond the first
                pixels = pixels.crop((0, 0, *self._stored))
        if scaling:
            pixels = self._scale(pixels, extent, scaling)
        upright = to_srgb(turn(pixels, self._orientation), profile)
        return Frame(_bare(upright), duration_ms)

    def _pixels(self) -> Image.Image:
        pixels = plain(self._image)
        if self._name == "jpeg" and pixels.mode == "CMYK" and "adobe" not in self._image.info:
            return ImageChops.invert(pixels)  # Pillow takes every CMYK JPEG for one of Adobe's
        return pixels

    def _draft(self, scaling: Scaling | None) -> tuple[float, float]:
        """Have a JPEG decoded at a fraction of its size; give the size its pixels then stand for."""
        if scaling is None or self._name != "jpeg":
            return self._stored
        box = stored_box(scaling.box, self._stored, self._orientation)
        width, height = turned_size(scaling.size, self._orientation)
        drafted = self._image.draft(
            None,
            (
                math.ceil(DRAFT_MARGIN * width * self._stored[0] / (box.right - box.left)),
                math.ceil(DRAFT_MARGIN * height * self._stored[1] / (box.bottom - box.top)),
            ),
        )
        return drafted[1][2:] if drafted else self._stored

    def _scale(self, pixels: Image.Image, extent: tuple[float, float], scaling: Scaling) -> Image.Image:
        box = stored_box(scaling.box, self._stored, self._orientation)
        box = box.scaled(extent[0] / self._stored[0], extent[1] / self._stored[1])
        size = turned_size(scaling.size, self._orientation)
        if pixels.size == size and box == (0, 0, *size):
            return pixels
        return pixels.resize(size, Resampling.LANCZOS, box=box)


def _bare(image: Image.Image) -> Image.Image:
    """Give pixels only: savers take up whatever metadata an image carries."""
    bare = image.copy()
    bare.info = {}
    return bare


def _read_plays(image: ImageFile, name: FormatName) -> int:
    """Tell how many times an animation runs; 0 is for ever."""
    loop = image.info.get("loop")
    if name != "gif":
        return int(loop or 0)
    return 1 if loop is None else int(loop) + 1 if loop else 0
