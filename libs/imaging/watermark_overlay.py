"""Overlay a watermark on an image, in place."""

from PIL import Image as images
from PIL.Image import Image

from libs.imaging.compositing import has_alpha, with_alpha
from libs.imaging.geometry import Size
from libs.imaging.limits import LONGEST_SIDE


def with_opacity(mark: Image, opacity: float) -> Image:
    """Return the mark in LA or RGBA with its alpha multiplied by `opacity`, 0 to 1."""
    mark = with_alpha(mark)
    if opacity < 1:
        alpha = mark.getchannel("A").point([int(value * opacity + 0.5) for value in range(256)])
        mark = mark.copy()
        mark.putalpha(alpha)
    return mark


def overlay(image: Image, mark: Image, corner: Size) -> Image:
    """Overlay a mark in LA or RGBA with its left and top at `corner`; clip what lies outside the image.

    Only the covered region changes. A grey image becomes RGB if the mark has colours.
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
    image = _to_common_mode(image, mark)
    at = (left + visible[0], top + visible[1])
    if has_alpha(image):
        image.alpha_composite(mark.convert("RGBA"), at)
    else:
        image.paste(mark.convert(image.mode), at, mark.getchannel("A"))
    return image


def tile(image: Image, mark: Image, gap: int) -> Image:
    """Repeat a mark over the whole image, with `gap` pixels between."""
    step = (mark.width + gap, mark.height + gap)
    row = images.new(mark.mode, (min(image.width, LONGEST_SIDE), mark.height))
    row.paste(mark, (0, 0))
    filled = step[0]
    while filled < row.width:  # double the filled part, so that a tiny mark needs few pastes
        row.paste(row.crop((0, 0, min(filled, row.width - filled), row.height)), (filled, 0))
        filled *= 2
    for top in range(0, image.height, step[1]):
        image = overlay(image, row, (0, top))
    return image


def _to_common_mode(image: Image, mark: Image) -> Image:
    """Convert the image to a mode that holds the colours and the transparency of both."""
    if image.mode == "L" and mark.mode == "RGBA":
        return image.convert("RGB")
    return image.convert("RGBA") if image.mode == "LA" else image
