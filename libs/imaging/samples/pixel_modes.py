"""Convert the pixel modes that files use to the few that operations support."""

from PIL import Image, ImageMath

_OPERATION_MODES = {"L", "LA", "RGB", "RGBA"}
_PROFILE_MODES = {"CMYK", "LAB"}  # converted to RGB later, with the embedded profile
_WITHOUT_PALETTE = {"PA": "RGBA", "RGBa": "RGBA", "La": "LA"}
_WITH_ALPHA = {"1": "LA", "L": "LA", "RGB": "RGBA", "P": "RGBA"}


def to_supported_mode(image: Image.Image) -> Image.Image:
    """Convert to 8 bits per channel, without a palette, and with an alpha channel if there is transparency.

    The result is in mode L, LA, RGB, RGBA, CMYK or LAB, and may be `image` itself.
    """
    if image.mode in _WITH_ALPHA and image.has_transparency_data:
        return image.convert(_WITH_ALPHA[image.mode])
    if image.mode in _OPERATION_MODES | _PROFILE_MODES:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I;16"):
        return _from_16_bits(image)
    if image.mode in {"I", "F"}:
        return _from_32_bits(image)
    return image.convert(_WITHOUT_PALETTE.get(image.mode, "RGB"))


def _from_16_bits(image: Image.Image) -> Image.Image:
    """Keep the high byte of each value, as Pillow does for 16-bit colour."""
    grey = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if "transparency" in image.info:
        grey.putalpha(alpha_except(image.info["transparency"], image))
    return grey


def alpha_except(clear: int, image: Image.Image) -> Image.Image:
    """Return an alpha channel that is 0 where a pixel has the 16-bit value `clear`, and 255 elsewhere."""
    alpha = ImageMath.lambda_eval(lambda bands: (bands["grey"] != clear) * 255, grey=image.convert("I"))
    return alpha.convert("L")


def _from_32_bits(image: Image.Image) -> Image.Image:
    """Scale to 8 bits; guess from the values whether the range is 0 to 1, or 8, 16 or 32 bits."""
    extrema = image.getextrema()
    greatest = extrema[1] if isinstance(extrema[1], int | float) else 255.0
    if image.mode == "F" and greatest <= 1:
        scale = 255.0
    elif greatest <= 255:
        scale = 1.0
    else:
        scale = 1 / 256 if greatest <= 65_535 else 1 / 2**24
    return image.convert("F").point(lambda value: value * scale).convert("L")
