"""Look at an image with transparent pixels as people do: a clear pixel has no colour."""

from itertools import compress

from PIL import Image

from libs.imaging.colours import RGBA
from libs.imaging.compositing import flatten, has_alpha, threshold_alpha

GREY: RGBA = (128, 128, 128, 255)
"""The background for judging an image with transparency: black and white logos both stand out from it."""

_LEAST_CONTRAST = 16
"""If all pixels over grey are within so many of 256 levels, only the shape tells images apart."""


def is_opaque(image: Image.Image) -> bool:
    """Return whether no pixel is transparent, not even partly."""
    return not has_alpha(image) or image.getchannel("A").getextrema() == (255, 255)


def on_grey(image: Image.Image) -> Image.Image:
    """Composite over `GREY`; the result is in RGB unless the image has no alpha channel."""
    return flatten(image, GREY)


def brightness(image: Image.Image) -> Image.Image:
    """Return the brightness in mode L, over `GREY` where the image is transparent.

    An image that cannot be told from the background is represented by its alpha channel.
    """
    if is_opaque(image):
        return image.convert("L")
    grey = on_grey(image).convert("L")
    histogram = grey.histogram()
    used = [level for level, count in enumerate(histogram) if count]
    return image.getchannel("A") if used[-1] - used[0] < _LEAST_CONTRAST else grey


def visible_pixels(image: Image.Image) -> Image.Image | None:
    """Return all pixels that are at least half opaque as one row in RGB; None if there are none."""
    pixels = image.convert("RGBA")
    visible = threshold_alpha(pixels.getchannel("A")).tobytes()
    bands = [bytes(compress(pixels.getchannel(band).tobytes(), visible)) for band in "RGB"]
    size = (len(bands[0]), 1)
    return Image.merge("RGB", [Image.frombytes("L", size, band) for band in bands]) if size[0] else None


def visible_histogram(channel: Image.Image, image: Image.Image) -> list[int]:
    """Return the histogram of a channel in mode L, without the clear pixels of the image it comes from."""
    return channel.histogram(image.getchannel("A") if has_alpha(image) else None)
