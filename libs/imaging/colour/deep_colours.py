"""Convert 16-bit pixels to sRGB before they are reduced to 8 bits, which would leave too few dark shades."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile

from libs.imaging.colour import icc_profiles
from libs.imaging.colour.conversion import picture_peak, samples_to_srgb
from libs.imaging.colour.source_colours import SourceColours
from libs.imaging.colour.spaces import ColourSpace
from libs.imaging.samples.pixel_modes import alpha_except
from libs.imaging.samples.png_reader import PngReader
from libs.imaging.samples.tiff_reader import TiffReader


def deep_to_srgb(image: ImageFile, colours: SourceColours, *, animated: bool) -> Image.Image | None:
    """Convert a decoded image; None if it is not of 16 bits.

    None too for RGB with an ICC profile, which LittleCMS gets in 8 bits from Pillow.
    """
    if image.mode.startswith("I;16"):
        grey = _converted(np.asarray(image).astype(np.uint16), colours, animated=animated)
        if grey is not None and "transparency" in image.info:
            grey.putalpha(alpha_except(image.info["transparency"], image))
        return grey
    deep: NDArray[np.uint16] | None = getattr(image, "deep_samples", None)
    if deep is not None and (deep.ndim == 2 or isinstance(colours, ColourSpace)):
        result = _converted(deep, colours, animated=animated)
        if result is not None and image.mode in {"LA", "RGBA"}:
            result.putalpha(image.getchannel("A"))
        return result
    if isinstance(image, TiffReader) and image.deep_grey is not None:
        result = _converted(image.deep_grey, colours, animated=animated)
        if result is not None:
            result.putalpha(image.getchannel("A"))
        return result
    grey = image.mode == "LA"
    if not isinstance(image, PngReader) or not image.deep or not (grey or isinstance(colours, ColourSpace)):
        return None
    high = np.asarray(image.getchannel("L") if grey else image.convert("RGB")).astype(np.uint16)
    low = image.decode_low_bytes()
    samples: NDArray[np.uint16] = (high << np.uint16(8)) | np.asarray(
        low if grey else low.convert("RGB")
    ).astype(np.uint16)
    result = _converted(samples, colours, animated=animated)
    if result is not None and image.mode in {"LA", "RGBA"}:
        result.putalpha(image.getchannel("A"))
    return result


def _converted(samples: NDArray[np.uint16], colours: SourceColours, *, animated: bool) -> Image.Image | None:
    if isinstance(colours, ColourSpace):
        peak = picture_peak(int(samples.max()), 65_536, colours, animated=animated)
        return Image.fromarray(samples_to_srgb(samples, colours, peak))
    if colours and samples.ndim == 2:
        return icc_profiles.to_srgb(Image.fromarray(np.ascontiguousarray(samples)), colours)
    return None
