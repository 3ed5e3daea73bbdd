"""Combine images with a background, and work with their alpha channels."""

from PIL import Image

from libs.imaging.colours import RGBA, WHITE
from libs.imaging.geometry import Size

_THRESHOLD = [0] * 128 + [255] * 128


def has_alpha(image: Image.Image) -> bool:
    """Return whether the mode has an alpha channel; the pixels may still all be opaque."""
    return image.mode in {"LA", "RGBA"}


def with_alpha(image: Image.Image) -> Image.Image:
    """Return the image in mode LA or RGBA; `image` itself if it has an alpha channel."""
    return image if has_alpha(image) else image.convert("LA" if image.mode == "L" else "RGBA")


def threshold_alpha(alpha: Image.Image) -> Image.Image:
    """Make every value of an alpha channel either 0 or 255."""
    return alpha.point(_THRESHOLD)


def paste_on_canvas(image: Image.Image, size: Size, offset: Size, background: RGBA) -> Image.Image:
    """Paste an image on a canvas of `size`; the result is opaque if the background is."""
    if background[3] == 255 and not has_alpha(image):
        canvas = Image.new("RGB", size, background[:3])
        canvas.paste(image.convert("RGB"), offset)
        return canvas
    canvas = Image.new("RGBA", size, background)
    canvas.alpha_composite(image.convert("RGBA"), offset)
    return canvas.convert("RGB") if background[3] == 255 else canvas


def flatten(image: Image.Image, background: RGBA) -> Image.Image:
    """Remove transparency by compositing over `background`, and over white if that is not opaque."""
    if not has_alpha(image):
        return image
    flat = paste_on_canvas(image, image.size, (0, 0), background)
    return flat if background[3] == 255 else paste_on_canvas(flat, flat.size, (0, 0), WHITE)


def drop_opaque_alpha(image: Image.Image) -> Image.Image:
    """Remove an alpha channel that is opaque everywhere."""
    if has_alpha(image) and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB" if image.mode == "RGBA" else "L")
    return image
