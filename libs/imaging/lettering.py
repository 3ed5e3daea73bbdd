"""Drawing text."""

from functools import lru_cache
from pathlib import Path

from PIL import Image as images
from PIL import ImageDraw, ImageFont
from PIL.Image import Image

from libs.imaging.colours import RGBA
from libs.imaging.errors import TextNotDrawable
from libs.imaging.geometry import Size

FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
"""Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew, Arabic and 5,900 signs in all; a free licence."""

_MEASURED = 100
_SMALLEST = 4
_NO_LETTER = "\U0010ffff"


def draw(text: str, size: int, colour: RGBA, room: Size, width: int | None) -> Image:
    """Draw a text in LA or RGBA, no larger than `room`.

    Args:
        text: One line, or several.
        size: Height of the letters in pixels, unless a width is given.
        colour: Of the letters; all else is clear.
        room: Greatest width and height of the result.
        width: Wanted width of the whole text.

    Raises:
        TextNotDrawable: The font does not have all letters.
    """
    _require_letters(text)
    across, down = _extent(text, _font(_MEASURED))[2:]
    wanted = width * _MEASURED / across if width else float(size)
    fitting = min(wanted, room[0] * _MEASURED / across, room[1] * _MEASURED / down)
    font = _font(max(_SMALLEST, int(fitting)))
    left, top, wide, high = _extent(text, font)
    mask = images.new("L", (min(wide, room[0]), min(high, room[1])))
    ImageDraw.Draw(mask).text((-left, -top), text, fill=colour[3], font=font)
    grey = colour[0] == colour[1] == colour[2]
    drawn = images.new("L", mask.size, colour[0]) if grey else images.new("RGB", mask.size, colour[:3])
    drawn.putalpha(mask)
    return drawn


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size)


def _extent(text: str, font: ImageFont.FreeTypeFont) -> tuple[int, int, int, int]:
    """Give left, top, width and height of what is drawn."""
    left, top, right, bottom = ImageDraw.Draw(images.new("L", (1, 1))).textbbox((0, 0), text, font=font)
    return int(left), int(top), max(1, int(right - left) + 1), max(1, int(bottom - top) + 1)


def _require_letters(text: str) -> None:
    box = _drawn(_NO_LETTER)
    missing = [letter for letter in sorted(set(text)) if not letter.isspace() and _drawn(letter) == box]
    if missing:
        raise TextNotDrawable("".join(missing))


def _drawn(letter: str) -> bytes:
    canvas = images.new("1", (2 * _MEASURED, 2 * _MEASURED))
    ImageDraw.Draw(canvas).text((0, 0), letter, fill=1, font=_font(_MEASURED))
    return canvas.tobytes()
