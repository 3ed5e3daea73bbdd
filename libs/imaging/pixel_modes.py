"""Bringing the many pixel layouts of files down to a few."""

from PIL import Image, ImageMath

_WORKED_ON = {"L", "LA", "RGB", "RGBA"}
_TO_PROFILES = {"CMYK", "LAB"}  # made RGB by `profiles`, which knows the embedded profile
_EXPANDED = {"PA": "RGBA", "RGBa": "RGBA", "La": "LA"}
_CLEAR = {"1": "LA", "L": "LA", "RGB": "RGBA", "P": "RGBA"}


def plain(image: Image.Image) -> Image.Image:
    """Give eight bits a channel, no palette, and a real alpha channel if anything is clear.

    The result is in mode L, LA, RGB, RGBA, CMYK or LAB, and may be `image` itself.
    """
    if image.mode in _CLEAR and image.has_transparency_data:
        return image.convert(_CLEAR[image.mode])
    if image.mode in _WORKED_ON | _TO_PROFILES:
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I;16"):
        return _from_16_bits(image)
    if image.mode in {"I", "F"}:
        return _from_32_bits(image)
    return image.convert(_EXPANDED.get(image.mode, "RGB"))


def _from_16_bits(image: Image.Image) -> Image.Image:
    """Keep the high byte, as Pillow does for 16-bit colour."""
    grey = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if "transparency" in image.info:
        grey.putalpha(_other_than(image.info["transparency"], image))
    return grey


def _other_than(clear: int, image: Image.Image) -> Image.Image:
    """Make the alpha channel in which one 16-bit grey is clear."""
    return ImageMath.lambda_eval(lambda of: (of["grey"] != clear) * 255, grey=image.convert("I")).convert("L")


def _from_32_bits(image: Image.Image) -> Image.Image:
    """Guess the range from the values: fractions, bytes, 16 or 32 bits."""
    extrema = image.getextrema()
    greatest = extrema[1] if isinstance(extrema[1], int | float) else 255.0
    if image.mode == "F" and greatest <= 1:
        scale = 255.0
    elif greatest <= 255:
        scale = 1.0
    else:
        scale = 1 / 256 if greatest <= 65_535 else 1 / 2**24
    return image.convert("F").point(lambda value: value * scale).convert("L")
