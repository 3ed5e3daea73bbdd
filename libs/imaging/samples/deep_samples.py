"""Turn samples of any type into an image: scale, invert, un-multiply, and merge the channels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from libs.imaging.colour.icc_profiles import to_srgb
from libs.imaging.metadata.tiff_layout import COLOURS, Layout

_ORIENTATION = 274
_MIN_VALUE, _MAX_VALUE = 340, 341  # SMinSampleValue, SMaxSampleValue
_DEEPEST = 65_535
_BLOCK_ROWS = 256


def to_image(
    samples: NDArray[Any], layout: Layout, tags: ImageFileDirectory_v2, profile: bytes | None
) -> Image.Image:
    """Return an image in the mode of `layout`.

    Args:
        samples: Rows x columns x samples as they are stored.
        layout: What they mean.
        tags: The tags of the page, which may give the range of the values.
        profile: The profile of CMYK with alpha, which becomes sRGB here.
    """
    colours = COLOURS[layout.kind]
    alpha = _to_16_bits(samples[..., colours], layout, tags) if layout.alpha != "none" else None
    stored = samples[..., :colours]
    if layout.kind in {"cielab", "icclab"}:
        image = _lab(stored, layout)
    else:
        values = _to_16_bits(stored, layout, tags)
        if layout.alpha == "premultiplied" and alpha is not None:
            values = _unmultiplied(values, alpha)
        if layout.kind == "grey" and layout.white_is_zero:
            values = _DEEPEST - values
        if layout.mode == "I;16":
            return Image.fromarray(np.ascontiguousarray(values[..., 0]))
        image = Image.fromarray(_high_bytes(values).squeeze(axis=2) if colours == 1 else _high_bytes(values))
        if layout.kind == "cmyk":
            image = Image.frombytes("CMYK", image.size, image.tobytes())
    if alpha is not None:
        if layout.kind not in {"grey", "rgb"}:
            image = to_srgb(image, profile)
        image.putalpha(Image.fromarray(_high_bytes(alpha)))
    return image


def deep_grey(samples: NDArray[Any], layout: Layout, tags: ImageFileDirectory_v2) -> NDArray[np.uint16]:
    """Return the grey of grey with alpha in 16 bits, which no mode of Pillow has; upright by orientation."""
    grey = _to_16_bits(samples[..., :1], layout, tags)
    if layout.alpha == "premultiplied":
        grey = _unmultiplied(grey, _to_16_bits(samples[..., 1], layout, tags))
    upright = (_DEEPEST - grey if layout.white_is_zero else grey)[..., 0]
    orientation = tags.get(_ORIENTATION, 1)
    if orientation in {5, 6, 7, 8}:
        upright = upright.T
    if orientation in {2, 3, 6, 7}:
        upright = upright[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        upright = upright[::-1]
    return np.ascontiguousarray(upright)


def _to_16_bits(values: NDArray[Any], layout: Layout, tags: ImageFileDirectory_v2) -> NDArray[np.uint16]:
    """Scale values so that white is 65,535."""
    if layout.sample == "u" and layout.bits == 8:
        return values.astype(np.uint16) * 257
    if layout.sample == "u" and layout.bits == 16:
        return values.astype(np.uint16)
    black, white = _range(values, layout, tags)
    result = np.empty(values.shape, dtype=np.uint16)
    for at in range(0, len(values), _BLOCK_ROWS):
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = values[at : at + _BLOCK_ROWS].astype(np.float64)
            scaled = np.nan_to_num((numbers - black) / (white - black)) * _DEEPEST
        result[at : at + _BLOCK_ROWS] = np.clip(scaled, 0, _DEEPEST) + 0.5
    return result


def _range(values: NDArray[Any], layout: Layout, tags: ImageFileDirectory_v2) -> tuple[float, float]:
    """Return the values of black and white.

    They are those that the file gives. Without them, white is the greatest value of the narrowest customary
    range that holds the picture: 1 for floating point, then that of 8, 16 and 32 bits. Highlights of
    floating-point pictures may be above 1, and are clipped.
    """
    least: tuple[float, ...] = tags.get(_MIN_VALUE) or ()
    most: tuple[float, ...] = tags.get(_MAX_VALUE) or ()
    if least and most:
        black, white = float(min(least)), float(max(most))
        if np.isfinite([black, white]).all() and white > black:
            return black, white
    greatest = float(values.max(initial=0, where=np.isfinite(values)))
    if layout.sample == "f":
        some = values[:: -(-len(values) // _BLOCK_ROWS)]
        if greatest <= 1 or float(np.median(some[some > 0])) <= 1:
            return 0.0, 1.0
    for bits in (8, 16, 32):
        white = 2 ** (bits - (layout.sample == "i" and layout.bits == bits)) - 1
        if greatest <= white:
            return 0.0, float(white)
    return 0.0, greatest


def _unmultiplied(values: NDArray[np.uint16], alpha: NDArray[np.uint16]) -> NDArray[np.uint16]:
    share = np.maximum(alpha, 1)[..., None].astype(np.float32) / _DEEPEST
    return np.minimum(values / share, _DEEPEST).astype(np.uint16)


def _lab(values: NDArray[Any], layout: Layout) -> Image.Image:
    """Return mode LAB, which has L* from 0 to 255, and a* and b* plus 128.

    CIELab stores a* and b* as signed numbers, ICCLab as unsigned ones with an offset (TIFF 6.0, section 23;
    Adobe Photoshop TIFF Technical Notes). 16 bits have 256 steps for each of 8 bits.
    """
    if layout.bits not in {8, 16} or layout.sample == "f":
        raise ValueError("unusual Lab samples")
    high = _high_bytes(values.astype(np.uint16)) if layout.bits == 16 else values.astype(np.uint8)
    if layout.kind == "cielab":
        high = high ^ np.array([0, 128, 128], dtype=np.uint8)
    return Image.merge("LAB", [Image.fromarray(np.ascontiguousarray(high[..., at])) for at in range(3)])


def _high_bytes(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Keep the high byte of each value, as Pillow does for 16-bit colour."""
    return (values >> 8).astype(np.uint8)
