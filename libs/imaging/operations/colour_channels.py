"""Filter the colour channels of an image that may have transparency."""

from collections.abc import Callable, Iterable

from PIL import Image as images
from PIL.Image import Image

from libs.imaging.compositing import has_alpha

_PREMULTIPLIED = {"LA": "La", "RGBA": "RGBa"}
_OPAQUE = {"LA": "L", "RGBA": "RGB"}


def run_filter(image: Image, run: Callable[[Image], Image]) -> Image:
    """Filter premultiplied pixels, so that colours of transparent pixels do not bleed into others."""
    if image.mode not in _PREMULTIPLIED:
        return run(image)
    return run(image.convert(_PREMULTIPLIED[image.mode])).convert(image.mode)


def colours_of(image: Image) -> Image:
    """Drop the alpha channel; the result is in L or RGB."""
    return image.convert(_OPAQUE[image.mode]) if has_alpha(image) else image


def on_colours(image: Image, change: Callable[[Image], Image]) -> Image:
    """Change the colours and keep the alpha channel."""
    if not has_alpha(image):
        return change(image)
    changed = change(colours_of(image))
    changed.putalpha(image.getchannel("A"))
    return changed


def on_levels(image: Image, level: Callable[[int], float]) -> Image:
    """Map each value of each colour channel, 0 to 255, to another."""
    return on_colours(image, lambda colours: apply_table(colours, [level(value) for value in range(256)]))


def apply_table(colours: Image, table: Iterable[float]) -> Image:
    """Map every channel by one table, whose values are rounded half up and clipped to 0 to 255."""
    clipped = [min(max(int(value + 0.5), 0), 255) if value > 0 else 0 for value in table]
    return colours.point(clipped * len(colours.getbands()))


def as_colour(image: Image) -> Image:
    """Convert grey to RGB or RGBA."""
    return image.convert({"L": "RGB", "LA": "RGBA"}[image.mode]) if image.mode in {"L", "LA"} else image


def merge(channels: list[Image]) -> Image:
    """Merge one or three colour channels."""
    return channels[0] if len(channels) == 1 else images.merge("RGB", channels)
