"""Decode an opened file into upright frames in sRGB."""

from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image, ImageChops
from PIL.ImageFile import ImageFile

from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.header import Header
from libs.imaging.icc_profiles import fits, is_srgb, to_srgb
from libs.imaging.operations.resize import Scaling, resample
from libs.imaging.orientation import UPRIGHT, apply_orientation, read_orientation, stored_box, upright_size
from libs.imaging.pillow_adapter import translated_errors
from libs.imaging.pixel_modes import to_supported_mode
from libs.imaging.plan import Facts, Plan

_SELF_CONTAINED = {"jpeg", "png", "bmp"}
"""Formats whose decoded still image needs no copy: apart from `info`, it no longer refers to its file."""


class Frame(NamedTuple):
    """One picture of an animation, or the only one of a still image."""

    image: Image.Image
    duration_ms: float


def read_facts(image: ImageFile, header: Header) -> Facts:
    """Read what a plan needs, without decoding."""
    # Pillow itself turns a TIFF upright when it loads the pixels, and reports the upright size.
    orientation = UPRIGHT if header.format == "tiff" else read_orientation(image)
    with translated_errors():
        mode, profile = image.mode, image.info.get("icc_profile")
        return Facts(
            format=header.format,
            size=image.size,
            frames=header.frames,
            orientation=orientation,
            mode=mode,
            srgb=mode != "CMYK" and (not profile or is_srgb(profile, mode)),
        )


class FrameDecoder:
    """Decodes the frames of an opened file as its plan says."""

    def __init__(self, image: ImageFile, plan: Plan) -> None:
        self._image = image
        self._plan = plan
        self._format: FormatName = plan.facts.format
        self._stored = plan.facts.size
        self.plays = _read_plays(image, self._format)
        """How many times an animation plays; 0 means forever."""
        keeps = plan.output.color == "keep" and FORMATS[plan.output.format].profiles
        self.profile = _read_profile(image) if keeps else None
        """The colour profile of the frames; None if they are converted to sRGB."""

    def frames(self) -> Iterator[Frame]:
        """Decode the planned frames one by one, scaled and turned as planned.

        Raises:
            SourceFault: The file is damaged or truncated.
        """
        plan = self._plan
        # An APNG's still image, if it is not part of the animation, comes before the frames.
        skipped = 1 if plan.facts.frames > 1 and getattr(self._image, "default_image", False) else 0
        first = plan.first_frame + skipped
        for number in range(first, first + plan.frames):
            yield self._decode(number)

    def _decode(self, number: int) -> Frame:
        with translated_errors():
            if number:
                self._image.seek(number)
            profile = _read_profile(self._image)
            extent = self._draft()
            self._image.load()
            duration_ms = float(self._image.info.get("duration") or 0)
            pixels = self._pixels()
            if number and pixels.size != self._stored and self._format != "tiff":
                pixels = pixels.crop((0, 0, *self._stored))  # a GIF frame may be larger than the first one
        if self._plan.scaling:
            pixels = self._scale(pixels, extent, self._plan.scaling)
        upright = apply_orientation(pixels, self._plan.orientation)
        if self.profile is None or upright.mode in {"CMYK", "LAB"}:
            upright = to_srgb(upright, None if self._plan.facts.srgb else profile)
        return Frame(self._without_info(upright), duration_ms)

    def _pixels(self) -> Image.Image:
        pixels = to_supported_mode(self._image)
        if self._format == "jpeg" and pixels.mode == "CMYK" and "adobe" not in self._image.info:
            return ImageChops.invert(pixels)  # Pillow inverts every CMYK JPEG, but only Adobe's are inverted
        return pixels

    def _without_info(self, pixels: Image.Image) -> Image.Image:
        """Remove `info`, because Pillow's encoders write the metadata in it."""
        reused = self._plan.frames > 1 or self._format not in _SELF_CONTAINED
        result = pixels.copy() if pixels is self._image and reused else pixels
        result.info = {}
        return result

    def _draft(self) -> tuple[float, float]:
        """Set up a JPEG's decoder as planned; return the exact size that the decoded pixels represent."""
        plan = self._plan
        if plan.shrink == 1 and not plan.luma:
            return self._stored
        width, height = self._stored
        size = (max(1, width // plan.shrink), max(1, height // plan.shrink))
        drafted = self._image.draft("L" if plan.luma else None, size)
        return drafted[1][2:] if drafted else self._stored

    def _scale(self, pixels: Image.Image, extent: tuple[float, float], scaling: Scaling) -> Image.Image:
        ratio = (extent[0] / self._stored[0], extent[1] / self._stored[1])
        orientation = self._plan.orientation
        box = stored_box(scaling.box, self._stored, orientation).scaled(*ratio)
        edge = stored_box(scaling.edge, self._stored, orientation).scaled(*ratio) if scaling.edge else None
        return resample(pixels, box, upright_size(scaling.size, orientation), scaling.kernel, edge)


def _read_profile(image: ImageFile) -> bytes | None:
    profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and fits(profile, image.mode) else None


def _read_plays(image: ImageFile, name: FormatName) -> int:
    loop = image.info.get("loop")
    if name != "gif":
        return int(loop or 0)
    return 1 if loop is None else int(loop) + 1 if loop else 0  # a GIF's loop counts repetitions
