"""Laying an image over a colour."""

from PIL import Image

from libs.imaging.colours import RGBA, WHITE
from libs.imaging.geometry import Size


def has_alpha(image: Image.Image) -> bool:
    """Tell whether the mode, not the pixels, knows transparency."""
    return image.mode in {"LA", "RGBA"}


def lay(image: Image.Image, size: Size, offset: Size, background: RGBA) -> Image.Image:
    """Lay an image onto a canvas; the result is opaque if the background is."""
    if background[3] == 255 and not has_alpha(image):
        canvas = Image.new("RGB", size, background[:3])
        canvas.paste(image.convert("RGB"), offset)
        return canvas
    canvas = Image.new("RGBA", size, background)
    canvas.alpha_composite(image.convert("RGBA"), offset)
    return canvas.convert("RGB") if background[3] == 255 else canvas


def flatten(image: Image.Image, background: RGBA) -> Image.Image:
    """Remove transparency; whatever the background leaves clear becomes white."""
    if not has_alpha(image):
        return image
    flat = lay(image, image.size, (0, 0), background)
    return flat if background[3] == 255 else lay(flat, flat.size, (0, 0), WHITE)


def without_needless_alpha(image: Image.Image) -> Image.Image:
    """Drop an alpha channel that is opaque everywhere."""
    if has_alpha(image) and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB" if image.mode == "RGBA" else "L")
    return image
