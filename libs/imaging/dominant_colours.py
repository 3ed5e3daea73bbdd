"""Find the most frequent colours of an image."""

from PIL.Image import Image, Quantize

from libs.imaging.resampling import scale
from libs.imaging.transparency import visible_pixels

_MAX_SIDE = 128


def dominant_colours(image: Image, count: int = 5) -> tuple[str, ...]:
    """Return up to `count` colours as `#rrggbb`, the most frequent first; transparent pixels do not count."""
    size = (min(image.width, _MAX_SIDE), min(image.height, _MAX_SIDE))
    visible = visible_pixels(scale(image, size, "box"))
    if visible is None:
        return ()
    quantized = visible.quantize(count, Quantize.MEDIANCUT)
    frequencies = quantized.histogram()
    palette = quantized.getpalette() or []
    ranked = sorted(range(min(count, len(palette) // 3)), key=lambda index: (-frequencies[index], index))
    used = (index for index in ranked if frequencies[index])
    return tuple("#" + bytes(palette[3 * index : 3 * index + 3]).hex() for index in used)
