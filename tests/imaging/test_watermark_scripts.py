"""Texts in scripts whose letters are shaped, emoji, and an operator's own fonts."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image

from libs.imaging.errors import FontUnavailable
from libs.imaging.limits import Limits
from libs.imaging.operations import Convert, Watermark
from libs.imaging.pipeline import render
from libs.imaging.text.font_files import font_files
from libs.imaging.text.text_fonts import FONTS, split_lines
from libs.imaging.text.watermark_text import draw_text
from tests.imaging.conftest import Save

WHITE, ROOM = (255, 255, 255, 255), (4000, 400)
SAMPLES = {
    "Sans Devanagari": "क्षत्रिय हिन्दी",
    "Sans Bengali": "বাংলা লিপি",
    "Sans Gurmukhi": "ਪੰਜਾਬੀ",
    "Sans Gujarati": "ગુજરાતી",
    "Sans Oriya": "ଓଡ଼ିଆ",
    "Sans Tamil": "தமிழ் கொ",
    "Sans Telugu": "తెలుగు",
    "Sans Kannada": "ಕನ್ನಡ",
    "Sans Malayalam": "മലയാളം",
    "Sans Sinhala": "සිංහල",
    "Sans Thai": "น้ำกี่",
    "Sans Myanmar": "မြန်မာ",
    "Sans Khmer": "ខ្មែរ",
    "Sans Ethiopic": "አማርኛ",
    "Serif Tibetan": "བོད་སྐད",
}


@pytest.mark.parametrize("name", SAMPLES)
def test_letters_are_shaped_as_pango_does(name: str) -> None:
    file = next(font for font in FONTS if font.name == f"Noto{name.replace(' ', '')}-Regular.ttf")
    font = f"Noto {name} 64"
    drawn = pyvips.Image.text(SAMPLES[name], font=font, fontfile=str(file), dpi=72)  # pyright: ignore
    expected = Image.fromarray(drawn.numpy())  # pyright: ignore
    expected = expected.crop(expected.getbbox())
    mask = draw_text(SAMPLES[name], 64, WHITE, ROOM, None).getchannel("A")
    mask = mask.crop(mask.getbbox())
    assert expected.size == pytest.approx(mask.size, abs=4)
    one, other = (np.asarray(image).astype(float) for image in (mask, expected.resize(mask.size)))
    assert np.minimum(one, other).sum() / np.maximum(one, other).sum() > 0.8


@pytest.mark.parametrize(
    "emoji",
    [
        "😀",
        "👍🏽",
        "👨\u200d👩\u200d👧",
        "🇩🇪",
        "❤\ufe0f",
        "1\ufe0f\u20e3",
        "🏳\ufe0f\u200d🌈",
        "✅",
        "↔\ufe0f",
    ],
)
def test_a_sequence_is_one_emoji_in_its_own_colours(emoji: str) -> None:
    single = draw_text("😀", 64, (0, 0, 255, 255), ROOM, None)
    drawn = draw_text(emoji, 64, (0, 0, 255, 255), ROOM, None)
    assert (drawn.mode, drawn.size) == ("RGBA", single.size)
    assert drawn.getchannel("A").getextrema() == (0, 255)
    pixels = np.asarray(drawn)
    opaque = {tuple(colour) for colour in pixels[pixels[..., 3] == 255][:, :3].tolist()}
    assert len(opaque) > 20
    assert (0, 0, 255) not in opaque


def test_emoji_take_the_opacity_of_the_colour_and_keep_theirs_at_the_edges() -> None:
    drawn = np.asarray(draw_text("🟥", 64, (0, 0, 0, 128), ROOM, None))
    assert drawn[..., 3].max() == 128
    red = drawn[drawn[..., 3] > 8][:, :3]
    assert red[:, 0].min() > 180  # the edge is red, not black


@pytest.mark.parametrize("text", ["☀", "©", "❤", "1", "#", "♀"])
def test_characters_that_are_text_by_default_have_the_colour_asked_for(text: str) -> None:
    assert draw_text(text, 64, (0, 0, 255, 255), ROOM, None).convert("RGB").getextrema()[0] == (0, 0)


def test_text_and_emoji_share_lines() -> None:
    runs = [[run.text for run in line] for line in split_lines("Sale 😀👍🏽 50 %\nनमस्ते Hi")]
    assert runs == [["Sale ", "😀👍🏽", " 50 %"], ["नमस्ते ", "Hi"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a 😀 b", ["a ", "😀", " b"]),
        ("שלום 😀 עולם", [" עולם", "😀", "שלום "]),
        ("😀 שלום", [" שלום", "😀"]),
        ("שלום 東京 tokyo", ["東京 ", "tokyo", "שלום "]),
        ("tokyo 東京 שלום", ["tokyo ", "東京 ", "שלום"]),
        ("東京 שלום😀עולם 東京", ["東京 ", "עולם ", "😀", "שלום", "東京"]),
        ("שלום 😀", ["😀", "שלום "]),
    ],
)
def test_runs_stand_as_they_are_read_from_both_sides(text: str, expected: list[str]) -> None:
    assert [run.text for run in split_lines(text)[0]] == expected


def test_an_operators_font_is_used_for_the_characters_that_it_has(tmp_path: Path, save: Save) -> None:
    shutil.copy(FONTS[0], tmp_path / "Corporate.otf")
    (tmp_path / "Broken.ttf").write_bytes(b"no font")
    mark = Watermark(text="กA東", font="Corporate", position="center")
    files = font_files(
        [mark, Watermark(text="a", font="Broken"), Watermark(text="a", font="None")], str(tmp_path)
    )
    assert files == {"font:Corporate": tmp_path / "Corporate.otf", "font:Broken": tmp_path / "Broken.ttf"}
    assert font_files([mark], "") == {}
    runs = split_lines("กA東", tmp_path / "Corporate.otf")[0]
    assert [run.font.name for run in runs] == ["NotoSansThai-Regular.ttf", "Corporate.otf", FONTS[1].name]
    source = save(Image.new("RGB", (100, 70)), "in.png")
    render(source, tmp_path / "out", [mark, Convert(format="png")], Limits(), assets=files)
    with Image.open(tmp_path / "out") as image:
        assert max(image.convert("L").tobytes()) > 240
    for name in ("Broken", "None"):
        with pytest.raises(FontUnavailable, match=f"`{name}`"):
            render(source, tmp_path / "out", [Watermark(text="a", font=name)], Limits(), assets=files)


def test_a_font_without_a_text_is_refused() -> None:
    with pytest.raises(ValueError, match="font"):
        Watermark(part="logo", font="Corporate")
