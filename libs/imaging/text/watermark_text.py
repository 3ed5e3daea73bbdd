"""Draw the text of a watermark."""

from pathlib import Path
from typing import NamedTuple

from PIL import Image as images
from PIL import ImageDraw, ImageFont
from PIL.Image import Image

from libs.imaging.colours import RGBA
from libs.imaging.geometry import Size
from libs.imaging.resampling import scale
from libs.imaging.text.text_fonts import EMOJI, EMOJI_SIZE, Run, load_font, split_lines

_MEASURING_SIZE = 100
_MIN_SIZE = 4
_LINE_HEIGHT = 1.2  # in font sizes
_MEASURING_CANVAS = ImageDraw.Draw(images.new("RGBA", (1, 1)))


class _PlacedRun(NamedTuple):
    """A run with its left end and baseline in pixels."""

    at: tuple[float, float]
    text: str
    font: ImageFont.FreeTypeFont
    is_emoji: bool  # the letters have colours of their own, and one size
    scale: float  # from the size of the font to that of the text

    def box(self) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of the drawn pixels."""
        if not self.is_emoji:
            return _MEASURING_CANVAS.textbbox(self.at, self.text, font=self.font, anchor="ls")
        edges = _MEASURING_CANVAS.textbbox(
            (0, 0), self.text, font=self.font, anchor="ls", embedded_color=True
        )
        left, top, right, bottom = (edge * self.scale for edge in edges)
        return left + self.at[0], top + self.at[1], right + self.at[0], bottom + self.at[1]


def draw_text(
    text: str, size: int, colour: RGBA, room: Size, width: int | None, own_font: Path | None = None
) -> Image:
    """Draw a text in mode LA or RGBA, no larger than `room`.

    Args:
        text: One line or several.
        size: Height of the letters in pixels; not used if `width` is given.
        colour: Colour of the letters; emoji have their own. All other pixels are transparent.
        room: Greatest width and height of the result.
        width: Requested width of the text in pixels.
        own_font: A font file that is used for all characters that it has.

    Raises:
        TextNotDrawable: No font has a glyph for a character.
        OSError: `own_font` is no font.
    """
    lines = split_lines(text, own_font)
    across, down = _extent(_place_runs(lines, _MEASURING_SIZE))[2:]
    requested = width * _MEASURING_SIZE / across if width else float(size)
    fitting = min(requested, room[0] * _MEASURING_SIZE / across, room[1] * _MEASURING_SIZE / down)
    placed = _place_runs(lines, max(_MIN_SIZE, int(fitting)))
    left, top, text_width, text_height = _extent(placed)
    mask = images.new("L", (min(text_width, room[0]), min(text_height, room[1])))
    pen = ImageDraw.Draw(mask)
    for run in placed:
        if not run.is_emoji:
            at = (run.at[0] - left, run.at[1] - top)
            pen.text(at, run.text, fill=colour[3], font=run.font, anchor="ls")
    emoji = [run for run in placed if run.is_emoji]
    grey = colour[0] == colour[1] == colour[2] and not emoji
    drawn = images.new("L", mask.size, colour[0]) if grey else images.new("RGB", mask.size, colour[:3])
    drawn.putalpha(mask)
    for run in emoji:
        box = run.box()
        drawn.alpha_composite(
            _draw_emoji(run, colour[3]), (max(0, int(box[0] - left)), max(0, int(box[1] - top)))
        )
    return drawn


def _draw_emoji(run: _PlacedRun, opacity: int) -> Image:
    """Draw a run of emoji at the font's own size, and scale it."""
    left, top, right, bottom = (int(edge) for edge in run._replace(at=(0, 0), scale=1).box())
    canvas = images.new("RGBA", (max(1, right - left), max(1, bottom - top)))
    ImageDraw.Draw(canvas).text((-left, -top), run.text, font=run.font, anchor="ls", embedded_color=True)
    # Drawn on a clear canvas, the colours are multiplied by the alpha.
    picture = images.frombytes("RGBa", canvas.size, canvas.tobytes())
    size = (max(1, int(canvas.width * run.scale)), max(1, int(canvas.height * run.scale)))
    picture = scale(picture, size, "bicubic").convert("RGBA")
    picture.putalpha(picture.getchannel("A").point([level * opacity // 255 for level in range(256)]))
    return picture


def _place_runs(lines: list[list[Run]], size: int) -> list[_PlacedRun]:
    placed: list[_PlacedRun] = []
    for number, runs in enumerate(lines):
        x = 0.0
        for run in runs:
            is_emoji = run.font == EMOJI
            font = load_font(run.font, EMOJI_SIZE if is_emoji else size)
            scale = size / EMOJI_SIZE if is_emoji else 1.0
            placed.append(_PlacedRun((x, number * _LINE_HEIGHT * size), run.text, font, is_emoji, scale))
            x += font.getlength(run.text) * scale
    return placed


def _extent(placed: list[_PlacedRun]) -> tuple[int, int, int, int]:
    """Return left, top, width and height of the drawn pixels."""
    boxes = [run.box() for run in placed]
    left, top = (int(min(box[side] for box in boxes)) for side in (0, 1))
    right, bottom = (int(max(box[side] for box in boxes)) for side in (2, 3))
    return left, top, max(1, right - left + 1), max(1, bottom - top + 1)
