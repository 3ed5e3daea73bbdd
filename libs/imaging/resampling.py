"""Scale pixels: the one place where the library does.

An image is scaled in two passes, one for each axis. Each pass is done by `cykooz_resizer`, whose SIMD
instructions take a sixth of Pillow's time, or else by Pillow. Both round after each pass, so the pixels are
the same within 1 of 255; a pixel in a thousand of pure noise differs by 2.

There are two calls for the sake of memory safety. In one call for both axes the library moves the windows of
its filter by the start of the first output column's window. If that begins with zeros, which a bicubic filter
has inside its support, other windows start further left, and the library reads out of bounds. In a call for
one axis nothing is moved: all windows lie inside the image.
"""

import logging
import math
from collections.abc import Callable
from functools import cache
from typing import Any, Literal, TypeAlias

import PIL
from PIL import Image, ImageChops

from libs.imaging.geometry import Box, Size, full_box

Filter: TypeAlias = Literal["lanczos", "bicubic", "bilinear", "box", "nearest"]

ScaleAxis: TypeAlias = Callable[[Image.Image, Box, Size, Filter], Image.Image]
"""Scales a box to a size of which one side is the box's; that side of the box consists of whole pixels."""

RESAMPLING: dict[Filter, Image.Resampling] = {
    "lanczos": Image.Resampling.LANCZOS,
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "box": Image.Resampling.BOX,
    "nearest": Image.Resampling.NEAREST,
}

_RADIUS: dict[Filter, float] = {"lanczos": 3.0, "bicubic": 2.0, "bilinear": 1.0}

_PREMULTIPLIED = {"RGBA": "RGBa", "LA": "RGBA"}
"""What an image with transparency is scaled as, so that colours of clear pixels do not bleed into others."""

_MODES = {"L": 1, "RGB": 3, "RGBa": 4, "CMYK": 4}
"""Modes that are scaled by axis, and their channels, which have 8 bits."""

_PILLOW_MAJOR = "13"
"""The version of Pillow whose images `cykooz_resizer` is known to read: it relies on their structure."""

_FILTERS: dict[Filter, str] = {"lanczos": "lanczos3", "bicubic": "catmull_rom", "bilinear": "bilinear"}
"""The filters that are used with SIMD, by the library's names. The others are those of Pillow, to the bit."""

_CHECKS = (((17, 11), Box(0, 0, 59, 50)), ((40, 61), Box(7.25, 3, 40.5, 49.75)))  # sizes and boxes

_log = logging.getLogger(__name__)


def scale(image: Image.Image, size: Size, kernel: Filter = "lanczos", box: Box | None = None) -> Image.Image:
    """Scale an image, or a box of it; around a box the kernel uses the pixels outside.

    Args:
        image: In any mode but those with a palette.
        size: Of the result.
        kernel: The resampling filter. It is widened when the image becomes smaller, except `nearest`.
        box: Must lie inside the image and have an area.
    """
    box = box or full_box(image.size)
    if not (0 <= box.left < box.right <= image.width and 0 <= box.top < box.bottom <= image.height):
        raise ValueError(f"the box {tuple(box)} is not inside an image of {image.size}")
    if _is_copied(box, size):
        return image.crop((int(box.left), int(box.top), int(box.right), int(box.bottom)))
    if kernel not in _FILTERS:
        return image.resize(size, RESAMPLING[kernel], box=box)
    if image.mode in _PREMULTIPLIED:
        window = _window(box, image.size, size, kernel)
        part = image if window == full_box(image.size) else image.crop(_whole(window))
        premultiplied = part.convert(_PREMULTIPLIED[image.mode])
        return scale(premultiplied, size, kernel, box.moved(-window.left, -window.top)).convert(image.mode)
    if image.mode in _MODES:
        return scale_by_axis(simd_axis() or scale_axis_by_pillow, image, size, kernel, box)
    return image.resize(size, RESAMPLING[kernel], box=box)


def scale_by_axis(axis: ScaleAxis, image: Image.Image, size: Size, kernel: Filter, box: Box) -> Image.Image:
    """Scale the height and then the width, or the other way round if less memory is needed so."""
    window = _window(box, image.size, size, kernel)
    if size[0] < box.width and size[1] > box.height:
        first = Box(box.left, window.top, box.right, window.bottom)
        middle = (size[0], int(window.height))
        second = Box(0, box.top - window.top, size[0], box.bottom - window.top)
    else:
        first = Box(window.left, box.top, window.right, box.bottom)
        middle = (int(window.width), size[1])
        second = Box(box.left - window.left, 0, box.right - window.left, size[1])
    for part, part_size in ((first, middle), (second, size)):
        if not _is_copied(part, part_size):
            image = axis(image, part, part_size, kernel)
        elif part != full_box(image.size):
            image = image.crop(_whole(part))
    return image


def scale_axis_by_pillow(image: Image.Image, box: Box, size: Size, kernel: Filter) -> Image.Image:
    """Scale along one axis without SIMD."""
    whole_columns = size[0] == box.width and box.left % 1 == 0
    if whole_columns and size[0] != image.width:  # otherwise Pillow would scale the width too, by 1
        image = image.crop((int(box.left), 0, int(box.right), image.height))
        box = box.moved(-box.left, 0)
    return image.resize(size, RESAMPLING[kernel], box=box)


def _is_copied(box: Box, size: Size) -> bool:
    """Return whether the box consists of whole pixels that keep their size."""
    return size == (box.width, box.height) and box.left % 1 == box.top % 1 == 0


def _window(box: Box, image: Size, size: Size, kernel: Filter) -> Box:
    """Return the whole pixels that the kernel uses for a box, or a few more."""
    across = _RADIUS[kernel] * max(1.0, box.width / size[0])
    down = _RADIUS[kernel] * max(1.0, box.height / size[1])
    return Box(
        max(0, math.floor(box.left - across)),
        max(0, math.floor(box.top - down)),
        min(image[0], math.ceil(box.right + across)),
        min(image[1], math.ceil(box.bottom + down)),
    )


def _whole(box: Box) -> tuple[int, int, int, int]:
    return int(box.left), int(box.top), int(box.right), int(box.bottom)


@cache
def simd_axis() -> ScaleAxis | None:
    """Return what scales with SIMD, if this machine can do it and the pixels are Pillow's. Checked once."""
    try:
        axis = _loadsimd_axis()
        _check(axis)
    except Exception as error:  # noqa: BLE001 - whatever it is, Pillow does the work
        _log.warning("images are scaled without SIMD, which takes longer: %s", error)
        return None
    return axis


def _loadsimd_axis() -> ScaleAxis:
    import cykooz_resizer as simd  # pyright: ignore[reportMissingTypeStubs] - here, as it takes memory

    if PIL.__version__.partition(".")[0] != _PILLOW_MAJOR:
        raise RuntimeError(f"unknown version of Pillow: {PIL.__version__}")
    if simd.Resizer().cpu_extensions is simd.CpuExtensions.none:
        raise RuntimeError("the processor has no SIMD instructions that are known")
    filters: Any = {kernel: simd.FilterType[name] for kernel, name in _FILTERS.items()}

    def scale_axis(image: Image.Image, box: Box, size: Size, kernel: Filter) -> Image.Image:
        result = Image.new(image.mode, size, None)
        options = simd.ResizeOptions(
            simd.ResizeAlg.convolution(filters[kernel]),
            use_alpha=False,
            crop_box=simd.CropBox(
                box.left, box.top, _length(box.left, box.right), _length(box.top, box.bottom)
            ),
        )
        simd.Resizer().resize_pil(image, result, options)
        return result

    return scale_axis


def _length(start: float, end: float) -> float:
    """Return a length that does not lead beyond `end`, whatever rounding does."""
    length = end - start
    while start + length > end:
        length = math.nextafter(length, 0)
    return length


def _check(axis: ScaleAxis) -> None:
    """Compare with Pillow what a pass makes of a small sample of every mode, larger and smaller.

    Raises:
        RuntimeError: They differ by more than rounding.
    """
    grey = Image.radial_gradient("L").crop((20, 30, 79, 80))
    bands = (grey, ImageChops.invert(grey), grey.transpose(Image.Transpose.FLIP_TOP_BOTTOM), grey)
    for mode, count in _MODES.items():
        sample = Image.merge(mode, bands[:count]) if count > 1 else grey
        for kernel in _FILTERS:
            for size, box in _CHECKS:
                made = scale_by_axis(axis, sample, size, kernel, box)
                expected = scale_by_axis(scale_axis_by_pillow, sample, size, kernel, box)
                if max(ImageChops.difference(made, expected).tobytes()) > 1:
                    raise RuntimeError(f"{kernel} in mode {mode} differs from Pillow's")
