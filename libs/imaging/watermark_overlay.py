"""Laying a small image over a large one, in place."""

from PIL import Image as images
from PIL.Image import Image

from libs.imaging.compositing import has_alpha
from libs.imaging.geometry import Size


def clear(mark: Image) -> Image:
    """Give LA or RGBA."""
    return mark if has_alpha(mark) else mark.convert("LA" if mark.mode == "L" else "RGBA")


def faded(mark: Image, opacity: float) -> Image:
    """Give LA or RGBA with all of its alpha scaled by `opacity`, 0 to 1."""
    mark = clear(mark)
    if opacity < 1:
        alpha = mark.getchannel("A").point([int(value * opacity + 0.5) for value in range(256)])
        mark = mark.copy()
        mark.putalpha(alpha)
    return mark


def stamp(image: Image, mark: Image, corner: Size) -> Image:
    """Lay a mark in LA or RGBA with its left and top at `corner`; what lies outside is left out.

    Only the covered region is touched. A grey image becomes coloured under a coloured mark.
    """
    left, top = corner
    visible = (
        max(0, -left),
        max(0, -top),
        min(mark.width, image.width - left),
        min(mark.height, image.height - top),
    )
    if visible[0] >= visible[2] or visible[1] >= visible[3]:
        return image
    if visible != (0, 0, *mark.size):
        mark = mark.crop(visible)
    image = ready(image, mark)
    at = (left + visible[0], top + visible[1])
    if has_alpha(image):
        image.alpha_composite(mark.convert("RGBA"), at)
    else:
        image.paste(mark.convert(image.mode), at, mark.getchannel("A"))
    return image


def tile(image: Image, mark: Image, gap: int) -> Image:
    """Lay a mark all over, with `gap` pixels between."""
    step = (mark.width + gap, mark.height + gap)
    row = images.new(mark.mode, (min(image.width, 16_384), mark.height))
    row.paste(mark, (0, 0))
    filled = step[0]
    while filled < row.width:  # doubled, so that a tiny mark takes no time
        row.paste(row.crop((0, 0, min(filled, row.width - filled), row.height)), (filled, 0))
        filled *= 2
    for top in range(0, image.height, step[1]):
        image = stamp(image, row, (0, top))
    return image


def ready(image: Image, mark: Image) -> Image:
    """Give a mode that can hold both."""
    if image.mode == "L" and mark.mode == "RGBA":
        return image.convert("RGB")
    return image.convert("RGBA") if image.mode == "LA" else image
