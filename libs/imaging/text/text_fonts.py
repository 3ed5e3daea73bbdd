"""Choose the font of each part of a text, and split it into runs of one font."""

import re
import unicodedata
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from PIL import Image as images
from PIL import ImageDraw, ImageFont, features

from libs.imaging.errors import TextNotDrawable

_FOLDER = Path(__file__).parent / "fonts"
_SCRIPTS = (
    *(
        "Devanagari",
        "Bengali",
        "Gurmukhi",
        "Gujarati",
        "Oriya",
        "Tamil",
        "Telugu",
        "Kannada",
        "Malayalam",
    ),
    *("Sinhala", "Thai", "Myanmar", "Khmer", "Ethiopic"),
)

FONTS = (
    _FOLDER / "DejaVuSans.ttf",
    _FOLDER / "DroidSansFallback.ttf",
    *(_FOLDER / f"NotoSans{script}-Regular.ttf" for script in _SCRIPTS),
    _FOLDER / "NotoSerifTibetan-Regular.ttf",
)
"""The first font covers Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew, Arabic and Lao (5,900 glyphs),
the second Chinese, Japanese and Korean, each of the others one script. Each character uses the first font
that has it. All have a free licence."""

EMOJI = _FOLDER / "NotoColorEmoji.ttf"
EMOJI_SIZE = 109
"""The one size, in pixels, at which the emoji font has pictures; they are scaled to others. Pillow cannot
draw smaller fonts made of layers (COLR): it measures the outline of a glyph, which is empty there."""

_PROBE_SIZE = 100
_NO_CHARACTER = "\U0010ffff"  # drawn as a font's sign for a missing glyph
_JOINER, _PICTURE = "\u200d", "\ufe0f"

_BASE = (
    "[\U0001f000-\U0001faff\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f"
    "\u2693\u26a1\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705"
    "\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55]"
)
"""Characters that are pictures without a variation selector (`Emoji_Presentation` in UTS 51)."""

_MODIFIERS = "[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*"
_FLAG, _KEYCAP = "[\U0001f1e6-\U0001f1ff]{2}", f"[0-9#*]{_PICTURE}?\u20e3"
_PICTOGRAPH = f"(?:{_BASE}{_PICTURE}?|[^\\s\u200d]{_PICTURE}){_MODIFIERS}"
_ELEMENT = f"(?:{_FLAG}|{_KEYCAP}|{_PICTOGRAPH})"
_EMOJI_SEQUENCE = re.compile(f"{_ELEMENT}(?:{_JOINER}(?:{_ELEMENT}|[^\\s]))*")
_INVISIBLE = {"Cf", "Mn", "Me", "Mc"}
"""Categories of characters that belong to the one before: marks, joiners, variation selectors."""


class Run(NamedTuple):
    """Consecutive characters of one font."""

    font: Path
    text: str


def split_lines(text: str, own_font: Path | None = None) -> list[list[Run]]:
    """Split a text into lines, and each line into runs; `own_font` is used before all others.

    Raises:
        TextNotDrawable: No font has a glyph for a character, or it cannot be shaped.
    """
    fonts = (own_font, *FONTS) if own_font else FONTS
    lines = [_Line(line, fonts) for line in text.split("\n")]
    missing = {character for line in lines for character in line.missing}
    if missing:
        raise TextNotDrawable("".join(sorted(missing)))
    return [line.runs() for line in lines]


class _Line:
    def __init__(self, text: str, fonts: tuple[Path, ...]) -> None:
        self._pieces: list[Run] = []
        self.missing: set[str] = set()
        """Characters that no font can draw."""
        at = 0
        for found in _EMOJI_SEQUENCE.finditer(text):
            if _is_drawn_as_emoji(found[0]):
                self._add_letters(text[at : found.start()], fonts)
                self._pieces.append(Run(EMOJI, found[0]))
                at = found.end()
        self._add_letters(text[at:], fonts)

    def runs(self) -> list[Run]:
        """Return the runs from left to right."""
        groups = groupby(self._pieces, key=lambda piece: piece.font)
        return in_visual_order(
            [Run(font, "".join(piece.text for piece in pieces)) for font, pieces in groups]
        )

    def _add_letters(self, text: str, fonts: tuple[Path, ...]) -> None:
        previous: Path | None = None
        for character in text:
            candidates = _fonts_with(character, fonts)
            if not candidates:
                self.missing.add(character)
                continue
            dependent = character.isspace() or unicodedata.category(character) in _INVISIBLE
            if previous is None or not (dependent and previous in candidates):
                previous = candidates[0]
            self._pieces.append(Run(previous, character))


def in_visual_order(runs: list[Run]) -> list[Run]:
    """Order runs from left to right, as the bidirectional algorithm does with whole runs (UAX 9, N1, N2, L2).

    Within a run, Raqm orders the letters.
    """
    directions = [_direction(run.text) for run in runs]
    base = next((direction for direction in directions if direction), "L")
    for number, direction in enumerate(directions):
        if direction is None:
            before = directions[number - 1] if number else base
            after = next((found for found in directions[number:] if found), base)
            directions[number] = before if before == after else base
    groups = groupby(zip(directions, runs, strict=True), key=lambda pair: pair[0])
    sequences = [(direction, [run for _, run in pairs]) for direction, pairs in groups]
    if base == "R":
        sequences.reverse()
    return [run for direction, found in sequences for run in (found if direction == "L" else reversed(found))]


def _direction(text: str) -> str | None:
    """Return the direction of the first letter that has one, L or R; None if there is none."""
    classes = (unicodedata.bidirectional(character) for character in text)
    return next(("L" if found == "L" else "R" for found in classes if found in {"L", "R", "AL"}), None)


def _fonts_with(character: str, fonts: tuple[Path, ...]) -> tuple[Path, ...]:
    if character.isspace() or unicodedata.category(character) == "Cf" or "\ufe00" <= character <= _PICTURE:
        return fonts
    if needs_shaping(character) and not features.check("raqm"):
        return ()
    return tuple(font for font in fonts if _glyph(character, font) != _glyph(_NO_CHARACTER, font))


def needs_shaping(character: str) -> bool:
    """Return whether letters of this script join, change their order, or run from right to left.

    Without Raqm, for which Pillow needs the system's FriBidi library, they would be drawn wrongly.
    """
    return (
        unicodedata.bidirectional(character) in {"R", "AL"}
        or "\u0900" <= character <= "\u109f"
        or ("\u1780" <= character <= "\u17ff")
    )


@lru_cache(maxsize=1024)
def _glyph(character: str, font: Path) -> bytes:
    """Draw one character; without shaping, which would add a placeholder below a combining accent."""
    canvas = images.new("1", (2 * _PROBE_SIZE, 2 * _PROBE_SIZE))
    at = (_PROBE_SIZE // 2, _PROBE_SIZE // 4)  # a combining accent is drawn left of this point
    unshaped = load_font(font, _PROBE_SIZE, ImageFont.Layout.BASIC)
    ImageDraw.Draw(canvas).text(at, character, fill=1, font=unshaped)
    return canvas.tobytes()


@lru_cache(maxsize=256)
def _is_drawn_as_emoji(sequence: str) -> bool:
    """Return whether the emoji font has a picture for each character that is one."""
    visible = [character for character in sequence if unicodedata.category(character) not in _INVISIBLE]
    font = load_font(EMOJI, EMOJI_SIZE)
    return all(font.getmask(character, mode="RGBA").size[1] > 0 for character in visible)


@lru_cache(maxsize=16)
def load_font(path: Path, size: int, layout: ImageFont.Layout | None = None) -> ImageFont.FreeTypeFont:
    """Load a font at a size in pixels."""
    return ImageFont.truetype(path, size, layout_engine=layout)
