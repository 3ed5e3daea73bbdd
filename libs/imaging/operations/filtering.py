"""Running a filter over an image that may be transparent."""

from PIL.Image import Image
from PIL.ImageFilter import Filter

_PREMULTIPLIED = {"LA": "La", "RGBA": "RGBa"}


def run_filter(image: Image, kernel: Filter) -> Image:
    """Filter premultiplied pixels, so that the colour of clear ones does not bleed into the rest."""
    if image.mode not in _PREMULTIPLIED:
        return image.filter(kernel)
    return image.convert(_PREMULTIPLIED[image.mode]).filter(kernel).convert(image.mode)
