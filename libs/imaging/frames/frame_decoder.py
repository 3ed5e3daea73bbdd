"""Decode an opened file into upright frames in sRGB."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PIL import Image, ImageChops
from PIL.ImageFile import ImageFile

from libs.imaging.cmyk_profile import read_cmyk_profile
from libs.imaging.colour.source_colours import (
    SourceColours,
    are_srgb,
    can_keep,
    greatest_light,
    read_source_colours,
    to_srgb,
)
from libs.imaging.formats import FormatName
from libs.imaging.frames.frame_composer import Composition, Frame, read_composition
from libs.imaging.frames.frame_timing import shown_ms
from libs.imaging.header import Header
from libs.imaging.operations.resize import Scaling, resample
from libs.imaging.orientation import UPRIGHT, apply_orientation, read_orientation, stored_box, upright_size
from libs.imaging.pillow_adapter import translated_errors
from libs.imaging.plan import Facts, Plan
from libs.imaging.samples.pixel_modes import to_supported_mode
from libs.imaging.samples.png_reader import PngReader

if TYPE_CHECKING:
    from libs.imaging.samples.tiff_reader import TiffReader

_DEEP = {"png", "tiff", "heic", "jxl"}  # formats of 16 bits a sample

_SELF_CONTAINED = {"jpeg", "png", "bmp"}
"""Formats whose decoded still image needs no copy: apart from `info`, it no longer refers to its file."""


def read_facts(image: ImageFile, header: Header) -> Facts:
    """Read what a plan needs, without decoding."""
    # Pillow itself turns a TIFF upright when it loads the pixels, and reports the upright size.
    orientation = UPRIGHT if header.format == "tiff" else read_orientation(image)
    with translated_errors():
        mode = "LA" if isinstance(image, PngReader) and image.raw_mode == "LA;16B" else image.mode
        colours = read_source_colours(image, header.colours, mode)
        return Facts(
            format=header.format,
            size=image.size,
            frames=header.frames,
            orientation=orientation,
            mode=mode,
            described=header.colours,
            srgb=are_srgb(colours, mode),
        )


class FrameDecoder:
    """Decodes the frames of an opened file as its plan says."""

    def __init__(self, image: ImageFile, plan: Plan, path: Path, cmyk_profile: Path | None = None) -> None:
        self._image = image
        if cmyk_profile and plan.facts.format == "tiff":
            cast("TiffReader", image).cmyk_profile = read_cmyk_profile(cmyk_profile)
        self._path = path
        self._plan = plan
        self._cmyk_profile = cmyk_profile
        self._format: FormatName = plan.facts.format
        self._stored = plan.facts.size
        self.plays = _read_plays(image, self._format)
        """How many times an animation plays; 0 means forever."""
        colours = self._colours()
        output = plan.output
        keeps = output.color == "keep" and all(
            can_keep(colours, name) for name in (output.format, output.opaque_format or output.format)
        )
        self.kept_colours: SourceColours = colours if keeps else None
        """The colours of the frames; None if they are converted to sRGB."""

    def frames(self) -> Iterator[Frame]:
        """Decode the planned frames one by one, scaled and turned as planned.

        Raises:
            SourceFault: The file is damaged or truncated.
        """
        plan = self._plan
        last = plan.first_frame + plan.frames
        composition = read_composition(self._path, self._format, last)
        if composition is None:
            yield from self._decode_all(range(plan.first_frame, last))
            return
        colours = self._colours()
        for pixels, duration_ms in islice(composition.frames(), plan.first_frame, last):
            yield Frame(self._finish(pixels, self._stored, colours), duration_ms)

    def _decode_all(self, numbers: range) -> Iterator[Frame]:
        """Decode frames that Pillow composes itself.

        It rounds durations to milliseconds. Those of an AVIF are measured from one start to the next instead,
        so that the errors do not add up.
        """
        before: tuple[Frame, int] | None = None
        for number in numbers:
            frame, start_ms = self._decode(number), int(self._image.info.get("timestamp") or 0)
            if before is not None:
                yield _until(*before, start_ms) if self._format == "avif" else before[0]
            before = frame, start_ms
        if before is not None:
            yield before[0]

    def _decode(self, number: int) -> Frame:
        with translated_errors():
            if number:
                self._image.seek(number)
            colours = self._colours()
            extent = self._draft()
            converts = self.kept_colours is None and not self._plan.facts.srgb
            self._image.load()
            duration_ms = float(self._image.info.get("duration") or 0)
            deep = self._deep(colours) if converts and self._format in _DEEP else None
            pixels, colours = (self._pixels(), colours) if deep is None else (deep, None)
        return Frame(self._finish(pixels, extent, colours), shown_ms(self._format, duration_ms))

    def _deep(self, colours: SourceColours) -> Image.Image | None:
        from libs.imaging.colour.deep_colours import (
            deep_to_srgb,
        )  # NumPy takes memory that most jobs do not need

        return deep_to_srgb(self._image, colours, animated=self._plan.frames > 1)

    def _colours(self) -> SourceColours:
        facts = self._plan.facts
        colours = read_source_colours(self._image, facts.described, facts.mode)
        if facts.mode == "CMYK" and colours is None and self._cmyk_profile:
            return read_cmyk_profile(self._cmyk_profile)
        return colours

    def _finish(
        self, pixels: Image.Image, extent: tuple[float, float], colours: SourceColours
    ) -> Image.Image:
        """Scale, turn and colour the decoded pixels of a frame as planned."""
        peak = greatest_light(pixels, colours, animated=self._plan.frames > 1)
        if self._plan.scaling:
            pixels = self._scale(pixels, extent, self._plan.scaling)
        upright = apply_orientation(pixels, self._plan.orientation)
        if self.kept_colours is None or upright.mode in {"CMYK", "LAB"}:
            upright = to_srgb(upright, None if self._plan.facts.srgb else colours, peak)
        return self._without_info(upright)

    def _pixels(self) -> Image.Image:
        pixels = to_supported_mode(self._image)
        if self._plan.facts.mode == "LA" and pixels.mode == "RGBA":
            pixels = pixels.convert("LA")
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


def _until(frame: Frame, start_ms: int, end_ms: int) -> Frame:
    return frame._replace(duration_ms=shown_ms("avif", end_ms - start_ms))


def total_duration_ms(image: ImageFile, header: Header, composition: Composition | None) -> float:
    """Add the durations of all frames; decode them if Pillow knows their durations only then.

    Raises:
        SourceFault: The file is damaged or truncated.
    """
    if composition is not None:
        return sum(composition.durations_ms)
    total_ms = 0.0
    with translated_errors():
        for number in range(header.frames):
            image.seek(number)
            image.load()
            total_ms += shown_ms(header.format, float(image.info.get("duration") or 0))
    return total_ms


def _read_plays(image: ImageFile, name: FormatName) -> int:
    loop = image.info.get("loop")
    if name != "gif":
        return int(loop or 0)
    return 1 if loop is None else int(loop) + 1 if loop else 0  # a GIF's loop counts repetitions
