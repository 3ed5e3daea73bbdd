"""Drawing text."""

import unicodedata
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from PIL import Image as images
from PIL import ImageDraw, ImageFont
from PIL.Image import Image

from libs.imaging.colours import RGBA
from libs.imaging.errors import TextNotDrawable
from libs.imaging.geometry import Size

FONTS = tuple(Path(__file__).parent / "fonts" / name for name in ("DejaVuSans.ttf", "DroidSansFallback.ttf"))
"""The first has Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew, Arabic and 5,900 signs in all, the second
Chinese, Japanese and Korean; both have a free licence. A letter is of the first font that has it."""

_MEASURED = 100
_SMALLEST = 4
_LINE = 1.2
_NO_LETTER = "\U0010ffff"
_RULER = ImageDraw.Draw(images.new("L", (1, 1)))


class _Run(NamedTuple):
    """Neighbours of one font."""

    font: Path
    text: str


class _Placed(NamedTuple):
    """A run, its left end and its baseline in pixels."""

    at: tuple[float, float]
    text: str
    font: ImageFont.FreeTypeFont


def draw(text: str, size: int, colour: RGBA, room: Size, width: int | None) -> Image:
    """Draw a text in LA or RGBA, no larger than `room`.

    Args:
        text: One line, or several.
        size: Height of the letters in pixels, unless a width is given.
        colour: Of the letters; all else is clear.
        room: Greatest width and height of the result.
        width: Wanted width of the whole text.

    Raises:
        TextNotDrawable: No font has all letters.
    """
    lines = _lines(text)
    across, down = _extent(_placed(lines, _MEASURED))[2:]
    wanted = width * _MEASURED / across if width else float(size)
    fitting = min(wanted, room[0] * _MEASURED / across, room[1] * _MEASURED / down)
    placed = _placed(lines, max(_SMALLEST, int(fitting)))
    left, top, wide, high = _extent(placed)
    mask = images.new("L", (min(wide, room[0]), min(high, room[1])))
    pen = ImageDraw.Draw(mask)
    for (x, y), run, font in placed:
        pen.text((x - left, y - top), run, fill=colour[3], font=font, anchor="ls")
    grey = colour[0] == colour[1] == colour[2]
    drawn = images.new("L", mask.size, colour[0]) if grey else images.new("RGB", mask.size, colour[:3])
    drawn.putalpha(mask)
    return drawn


def _placed(lines: list[list[_Run]], size: int) -> list[_Placed]:
    placed: list[_Placed] = []
    for number, runs in enumerate(lines):
        x = 0.0
        for run in runs:
            font = _font(run.font, size)
            placed.append(_Placed((x, number * _LINE * size), run.text, font))
            x += font.getlength(run.text)
    return placed


def _extent(placed: list[_Placed]) -> tuple[int, int, int, int]:
    """Give left, top, width and height of what is drawn."""
    boxes = [_RULER.textbbox(one.at, one.text, font=one.font, anchor="ls") for one in placed]
    left, top = (int(min(box[side] for box in boxes)) for side in (0, 1))
    right, bottom = (int(max(box[side] for box in boxes)) for side in (2, 3))
    return left, top, max(1, right - left + 1), max(1, bottom - top + 1)


def _lines(text: str) -> list[list[_Run]]:
    missing = [letter for letter in sorted(set(text)) if not _fonts_with(letter)]
    if missing:
        raise TextNotDrawable("".join(missing))
    return [_runs(line) for line in text.split("\n")]


def _runs(line: str) -> list[_Run]:
    fonts: list[Path] = []
    for letter in line:
        having = _fonts_with(letter)
        stays = fonts and fonts[-1] in having and (letter.isspace() or unicodedata.combining(letter))
        fonts.append(fonts[-1] if stays else having[0])
    pairs = groupby(zip(fonts, line, strict=True), key=lambda pair: pair[0])
    return [_Run(font, "".join(letter for _, letter in letters)) for font, letters in pairs]


def _fonts_with(letter: str) -> tuple[Path, ...]:
    if letter.isspace():
        return FONTS
    return tuple(font for font in FONTS if _drawn(letter, font) != _drawn(_NO_LETTER, font))


@lru_cache(maxsize=512)
def _drawn(letter: str, font: Path) -> bytes:
    """Draw without shaping, which would lay a stray accent on a letter of its own."""
    canvas = images.new("1", (2 * _MEASURED, 2 * _MEASURED))
    at = (_MEASURED // 2, _MEASURED // 4)  # an accent goes back over the letter before it
    plain = _font(font, _MEASURED, ImageFont.Layout.BASIC)
    ImageDraw.Draw(canvas).text(at, letter, fill=1, font=plain)
    return canvas.tobytes()


@lru_cache(maxsize=16)
def _font(path: Path, size: int, layout: ImageFont.Layout | None = None) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, layout_engine=layout)
