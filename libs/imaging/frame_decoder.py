"""From an opened file to upright sRGB frames."""

from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image, ImageChops
from PIL.ImageFile import ImageFile

from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.header import Header
from libs.imaging.icc_profiles import fits, is_srgb, to_srgb
from libs.imaging.operations.resize import Scaling, resample
from libs.imaging.orientation import UPRIGHT, read_orientation, stored_box, turn, turned_size
from libs.imaging.pillow_adapter import decoding
from libs.imaging.pixel_modes import plain
from libs.imaging.plan import Facts, Plan

_READ_ONCE = {"jpeg", "png", "bmp"}
"""Once these are decoded nothing but their `info` tells where they came from: no copy is needed."""


class Frame(NamedTuple):
    """One picture of an animation; the only one of a still."""

    image: Image.Image
    duration_ms: float


def read_facts(image: ImageFile, header: Header) -> Facts:
    """Tell what a plan needs to know; nothing is decoded."""
    # Pillow turns a TIFF by itself as it loads, and tells its size accordingly.
    orientation = UPRIGHT if header.format == "tiff" else read_orientation(image)
    with decoding():
        mode, profile = image.mode, image.info.get("icc_profile")
        return Facts(
            format=header.format,
            size=image.size,
            frames=header.frames,
            orientation=orientation,
            mode=mode,
            srgb=mode != "CMYK" and (not profile or is_srgb(profile, mode)),
        )


class Source:
    """An opened file, read as planned."""

    def __init__(self, image: ImageFile, plan: Plan) -> None:
        self._image = image
        self._plan = plan
        self._name: FormatName = plan.facts.format
        self._stored = plan.facts.size
        self.plays = _read_plays(image, self._name)
        keeps = plan.output.color == "keep" and FORMATS[plan.output.format].profiles
        self.profile = _read_profile(image) if keeps else None
        """What the pixels are in, if they are not brought to sRGB."""

    def frames(self) -> Iterator[Frame]:
        """Decode the planned frames one by one, each upright, and scaled already.

        Raises:
            SourceFault: The file is damaged or cut short.
        """
        plan = self._plan
        hidden = 1 if plan.facts.frames > 1 and getattr(self._image, "default_image", False) else 0
        first = plan.first_frame + hidden
        for number in range(first, first + plan.frames):
            yield self._read(number)

    def _read(self, number: int) -> Frame:
        with decoding():
            if number:
                self._image.seek(number)
            profile = _read_profile(self._image)
            extent = self._draft()
            self._image.load()
            duration_ms = float(self._image.info.get("duration") or 0)
            pixels = self._pixels()
            if number and pixels.size != self._stored and self._name != "tiff":
                pixels = pixels.crop((0, 0, *self._stored))  # a GIF whose frame reaches beyond the first
        if self._plan.scaling:
            pixels = self._scale(pixels, extent, self._plan.scaling)
        upright = turn(pixels, self._plan.orientation)
        if self.profile is None or upright.mode in {"CMYK", "LAB"}:
            upright = to_srgb(upright, None if self._plan.facts.srgb else profile)
        return Frame(self._bare(upright), duration_ms)

    def _pixels(self) -> Image.Image:
        pixels = plain(self._image)
        if self._name == "jpeg" and pixels.mode == "CMYK" and "adobe" not in self._image.info:
            return ImageChops.invert(pixels)  # Pillow takes every CMYK JPEG for one of Adobe's
        return pixels

    def _bare(self, pixels: Image.Image) -> Image.Image:
        """Give pixels only: savers take up whatever metadata an image carries."""
        again = self._plan.frames > 1 or self._name not in _READ_ONCE
        bare = pixels.copy() if pixels is self._image and again else pixels
        bare.info = {}
        return bare

    def _draft(self) -> tuple[float, float]:
        """Have a JPEG decoded as planned; give the size its pixels then stand for."""
        plan = self._plan
        if plan.shrink == 1 and not plan.luma:
            return self._stored
        width, height = self._stored
        size = (max(1, width // plan.shrink), max(1, height // plan.shrink))
        drafted = self._image.draft("L" if plan.luma else None, size)
        return drafted[1][2:] if drafted else self._stored

    def _scale(self, pixels: Image.Image, extent: tuple[float, float], scaling: Scaling) -> Image.Image:
        ratio = (extent[0] / self._stored[0], extent[1] / self._stored[1])
        turned = self._plan.orientation
        box = stored_box(scaling.box, self._stored, turned).scaled(*ratio)
        edge = stored_box(scaling.edge, self._stored, turned).scaled(*ratio) if scaling.edge else None
        return resample(pixels, box, turned_size(scaling.size, turned), scaling.kernel, edge)


def _read_profile(image: ImageFile) -> bytes | None:
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and fits(profile, image.mode) else None


def _read_plays(image: ImageFile, name: FormatName) -> int:
    """Tell how many times an animation runs; 0 is for ever."""
    loop = image.info.get("loop")
    if name != "gif":
        return int(loop or 0)
    return 1 if loop is None else int(loop) + 1 if loop else 0
