"""Draw the text of a watermark."""

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
"""The first font covers Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic (5,900 glyphs), the
second Chinese, Japanese and Korean. Each character uses the first font that has it. Both
have a free licence."""

_MEASURING_SIZE = 100
_MIN_SIZE = 4
_LINE_HEIGHT = 1.2  # in font sizes
_NO_CHARACTER = "\U0010ffff"  # drawn as a font's sign for a missing glyph
_MEASURING_CANVAS = ImageDraw.Draw(images.new("L", (1, 1)))


class _Run(NamedTuple):
    """Consecutive characters of one font."""

    font: Path
    text: str


class _PlacedRun(NamedTuple):
    """A run with its left end and baseline in pixels."""

    at: tuple[float, float]
    text: str
    font: ImageFont.FreeTypeFont


def draw_text(text: str, size: int, colour: RGBA, room: Size, width: int | None) -> Image:
    """Draw a text in mode LA or RGBA, no larger than `room`.

    Args:
        text: One line or several.
        size: Height of the letters in pixels; not used if `width` is given.
        colour: Colour of the letters; all other pixels are transparent.
        room: Greatest width and height of the result.
        width: Requested width of the text in pixels.

    Raises:
        TextNotDrawable: No font has a glyph for a character.
    """
    lines = _split_lines(text)
    across, down = _extent(_place_runs(lines, _MEASURING_SIZE))[2:]
    requested = width * _MEASURING_SIZE / across if width else float(size)
    fitting = min(requested, room[0] * _MEASURING_SIZE / across, room[1] * _MEASURING_SIZE / down)
    placed = _place_runs(lines, max(_MIN_SIZE, int(fitting)))
    left, top, text_width, text_height = _extent(placed)
    mask = images.new("L", (min(text_width, room[0]), min(text_height, room[1])))
    pen = ImageDraw.Draw(mask)
    for (x, y), run, font in placed:
        pen.text((x - left, y - top), run, fill=colour[3], font=font, anchor="ls")
    grey = colour[0] == colour[1] == colour[2]
    drawn = images.new("L", mask.size, colour[0]) if grey else images.new("RGB", mask.size, colour[:3])
    drawn.putalpha(mask)
    return drawn


def _place_runs(lines: list[list[_Run]], size: int) -> list[_PlacedRun]:
    placed: list[_PlacedRun] = []
    for number, runs in enumerate(lines):
        x = 0.0
        for run in runs:
            font = _font(run.font, size)
            placed.append(_PlacedRun((x, number * _LINE_HEIGHT * size), run.text, font))
            x += font.getlength(run.text)
    return placed


def _extent(placed: list[_PlacedRun]) -> tuple[int, int, int, int]:
    """Return left, top, width and height of the drawn pixels."""
    boxes = [_MEASURING_CANVAS.textbbox(run.at, run.text, font=run.font, anchor="ls") for run in placed]
    left, top = (int(min(box[side] for box in boxes)) for side in (0, 1))
    right, bottom = (int(max(box[side] for box in boxes)) for side in (2, 3))
    return left, top, max(1, right - left + 1), max(1, bottom - top + 1)


def _split_lines(text: str) -> list[list[_Run]]:
    missing = [character for character in sorted(set(text)) if not _fonts_with(character)]
    if missing:
        raise TextNotDrawable("".join(missing))
    return [_split_runs(line) for line in text.split("\n")]


def _split_runs(line: str) -> list[_Run]:
    fonts: list[Path] = []
    for character in line:
        candidates = _fonts_with(character)
        dependent = character.isspace() or unicodedata.combining(character)
        keeps_font = fonts and fonts[-1] in candidates and dependent
        fonts.append(fonts[-1] if keeps_font else candidates[0])
    pairs = groupby(zip(fonts, line, strict=True), key=lambda pair: pair[0])
    return [_Run(font, "".join(character for _, character in characters)) for font, characters in pairs]


def _fonts_with(character: str) -> tuple[Path, ...]:
    if character.isspace():
        return FONTS
    return tuple(font for font in FONTS if _glyph(character, font) != _glyph(_NO_CHARACTER, font))


@lru_cache(maxsize=512)
def _glyph(character: str, font: Path) -> bytes:
    """Draw one character; without shaping, which would add a placeholder below a combining accent."""
    canvas = images.new("1", (2 * _MEASURING_SIZE, 2 * _MEASURING_SIZE))
    at = (_MEASURING_SIZE // 2, _MEASURING_SIZE // 4)  # a combining accent is drawn left of this point
    unshaped = _font(font, _MEASURING_SIZE, ImageFont.Layout.BASIC)
    ImageDraw.Draw(canvas).text(at, character, fill=1, font=unshaped)
    return canvas.tobytes()


@lru_cache(maxsize=16)
def _font(path: Path, size: int, layout: ImageFont.Layout | None = None) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, layout_engine=layout)
