"""Frames are composed as browsers compose them; the expected pixels are calculated in floating point."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from libs.imaging.describe import describe
from libs.imaging.errors import SourceFault
from libs.imaging.formats import WrittenName
from libs.imaging.frames.frame_composer import read_composition
from libs.imaging.limits import Limits
from libs.imaging.operations import Convert, Frames
from tests.imaging.animation_files import (
    ApngFrame,
    GifFrame,
    Pixels,
    WebpFrame,
    apng,
    chunk,
    gif,
    webp,
)
from tests.imaging.conftest import Run, Save, file_of

SIZE = (6, 5)  # of the canvas
KEEP, CLEAR, RESTORE = "keep", "clear", "restore"
RED, GREEN, BLUE, HALF_RED, NOTHING = (
    (255, 0, 0, 255),
    (0, 255, 0, 255),
    (0, 0, 255, 255),
    (255, 0, 0, 128),
    (0, 0, 0, 0),
)


class Rectangle(NamedTuple):
    """What one frame draws, for the calculation."""

    rgba: Pixels
    left: int
    top: int
    disposal: str
    blends: bool


def calculate(rectangles: Sequence[Rectangle]) -> list[npt.NDArray[np.float64]]:
    """Calculate the pictures that a viewer shows, by the formulas of the PNG specification."""
    canvas = np.zeros((SIZE[1], SIZE[0], 4))
    shown: list[npt.NDArray[np.float64]] = []
    for rgba, left, top, disposal, blends in rectangles:
        before = canvas.copy()
        width, height = min(rgba.shape[1], SIZE[0] - left), min(rgba.shape[0], SIZE[1] - top)
        place = np.s_[top : top + height, left : left + width]
        source = rgba[:height, :width].astype(np.float64)
        if blends:
            over, under = source[..., 3:] / 255, canvas[place][..., 3:] / 255
            alpha = over + under * (1 - over)
            colour = source[..., :3] * over + canvas[place][..., :3] * under * (1 - over)
            colour = np.divide(colour, alpha, out=np.zeros_like(colour), where=alpha > 0)
            source = np.concatenate([colour, alpha * 255], axis=2)
        canvas[place] = source
        shown.append(canvas.copy())
        if disposal == CLEAR:
            canvas[place] = 0
        elif disposal == RESTORE:
            canvas = before
    return shown


def assert_shown(
    images: Sequence[Image.Image], expected: Sequence[npt.NDArray[np.float64]], case: object
) -> None:
    """Compare the colours where they can be seen, and the alpha; rounding may differ by 1."""
    assert len(images) == len(expected), case
    for number, (image, pixels) in enumerate(zip(images, expected, strict=True)):
        got = np.asarray(image.convert("RGBA"), dtype=np.float64)
        visible = np.round(pixels[..., 3:]) > 0
        assert np.abs(got[..., 3] - pixels[..., 3]).max() <= 1, (case, number)
        assert np.abs((got - pixels)[..., :3] * visible).max() <= 1.5, (case, number)


def composed(path: Path, name: WrittenName) -> list[Image.Image]:
    composition = read_composition(path, name, 10)
    assert composition is not None
    return [frame.image for frame in composition.frames()]


PALETTE = bytes([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0, 9, 9, 9])
OTHER_PALETTE = bytes([0, 255, 255, 255, 0, 255, 80, 90, 100, 1, 2, 3, 200, 150, 50])
GRAYS = bytes(value for value in range(128) for _ in range(3))
GIF_DISPOSALS = {0: KEEP, 1: KEEP, 2: CLEAR, 3: RESTORE, 4: RESTORE, 7: KEEP}
BOXES = [(0, 0, 6, 5), (1, 1, 3, 3), (2, 0, 4, 4), (4, 3, 5, 5)]  # left, top, width, height


def _gif_pixels(frame: GifFrame) -> Pixels:
    colours = np.frombuffer((frame.palette or PALETTE).ljust(384, b"\0"), np.uint8).reshape(-1, 3)
    rgba = np.dstack([colours[frame.indices], np.full(frame.indices.shape, 255, np.uint8)])
    rgba[frame.indices == frame.transparent] = 0
    return rgba


def test_gif_frames_are_composed_in_all_combinations_of_disposal_palette_and_transparency(save: Save) -> None:
    random = np.random.default_rng(1)
    palettes = [None, OTHER_PALETTE, GRAYS]
    combinations = product(product((1, 2, 3, 4), (0, 2, 3, 7)), product(palettes, repeat=2), (None, 2))
    for case, (disposals, palette, clear) in enumerate(combinations):
        small_first = case % 5 == 0
        frames: list[GifFrame] = []
        for number, disposal in enumerate((*disposals, 0)):
            left, top, width, height = BOXES[number + small_first]
            indices = random.integers(0, 6, (height, width), np.uint8)  # the palettes have 5 colours
            local = (*palette, None)[number]
            frames.append(GifFrame(indices, left, top, disposal, transparent=clear, palette=local))
        # The first frame extends the screen; what later ones have beyond it is cut off.
        path = save(gif(SIZE, frames, PALETTE), "in.gif")
        expected = calculate(
            [
                Rectangle(_gif_pixels(frame), frame.left, frame.top, GIF_DISPOSALS[frame.disposal], True)
                for frame in frames
            ]
        )
        assert_shown(composed(path, "gif"), expected, (disposals, palette, clear, small_first))


TRANSPARENT_PALETTE = chunk(b"PLTE", PALETTE) + chunk(b"tRNS", bytes([255, 128, 0]))
COLOUR_TYPES = {
    "gray": (0, 1, b""),
    "gray with a clear value": (0, 1, chunk(b"tRNS", b"\0\2")),
    "colour": (2, 3, b""),
    "colour with a clear value": (2, 3, chunk(b"tRNS", b"\0\1\0\1\0\1")),
    "palette": (3, 1, chunk(b"PLTE", PALETTE)),
    "palette with alpha": (3, 1, TRANSPARENT_PALETTE),
    "gray with alpha": (4, 2, b""),
    "colour with alpha": (6, 4, b""),
}
APNG_DISPOSALS = [KEEP, CLEAR, RESTORE]


def _apng_pixels(samples: Pixels, kind: str) -> Pixels:
    alpha = np.full(samples.shape[:2], 255, np.uint8)
    if kind.startswith("palette"):
        colours = np.frombuffer(PALETTE, np.uint8).reshape(-1, 3)
        if kind == "palette with alpha":
            alpha = np.array([255, 128, 0, 255, 255], np.uint8)[samples[..., 0]]
        return np.dstack([colours[samples[..., 0]], alpha])
    colour = np.repeat(samples[..., :1], 3, axis=2) if kind.startswith("gray") else samples[..., :3]
    if kind.endswith("with alpha"):
        alpha = samples[..., -1]
    elif kind.endswith("clear value"):
        key = 2 if kind.startswith("gray") else 1
        alpha = np.where((samples == key).all(axis=2), 0, 255).astype(np.uint8)
    return np.dstack([colour, alpha])


@pytest.mark.parametrize("kind", COLOUR_TYPES)
def test_apng_frames_are_composed_in_all_combinations_of_disposal_and_blending(kind: str, save: Save) -> None:
    colour_type, channels, colours = COLOUR_TYPES[kind]
    random = np.random.default_rng(2)
    values = 5 if colour_type == 3 else 3 if kind.endswith("clear value") else 256
    boxes = [(0, 0, 6, 5), (1, 1, 3, 3), (2, 0, 4, 4)]
    for disposals, blends in product(product(range(3), repeat=2), product(range(2), repeat=3)):
        frames: list[ApngFrame] = []
        for (left, top, width, height), disposal, blend in zip(boxes, (*disposals, 0), blends, strict=True):
            samples = random.integers(0, values, (height, width, channels), np.uint8)
            if channels in {2, 4}:
                samples[..., -1] = random.choice(np.array([0, 60, 128, 255], np.uint8), (height, width))
            frames.append(ApngFrame(samples, left, top, disposal, blend))
        path = save(apng(SIZE, frames, colour_type, colours), "in.png")
        expected = calculate(
            [
                Rectangle(
                    _apng_pixels(frame.samples, kind),
                    frame.left,
                    frame.top,
                    APNG_DISPOSALS[frame.disposal],
                    bool(frame.blend),
                )
                for frame in frames
            ]
        )
        assert_shown(composed(path, "png"), expected, (disposals, blends))


@pytest.mark.parametrize("alpha_flag", [True, False])
def test_webp_frames_are_composed_in_all_combinations_whatever_the_header_says(
    alpha_flag: bool, save: Save, run: Run
) -> None:
    random = np.random.default_rng(3)
    boxes = [(0, 0, 6, 5), (2, 0, 3, 4), (0, 2, 5, 3)]
    for disposals, blending in product(product((False, True), repeat=2), repeat=2):
        frames: list[WebpFrame] = []
        for (left, top, width, height), disposes, over in zip(
            boxes, (*disposals, False), (True, *blending), strict=True
        ):
            pixels = random.integers(0, 256, (height, width, 4), np.uint8)
            pixels[..., 3] = random.choice(np.array([0, 128, 255], np.uint8), (height, width))
            frames.append(WebpFrame(pixels, left, top, disposes, over))
        path = save(webp(SIZE, frames, alpha_flag=alpha_flag), "in.webp")
        expected = calculate(
            [
                Rectangle(
                    frame.pixels, frame.left, frame.top, CLEAR if frame.disposes else KEEP, frame.blends
                )
                for frame in frames
            ]
        )
        _, result = run(path, Convert(format="png"))
        assert_shown(composed(file_of(result), "png"), expected, (disposals, blending))
        assert describe(path, Limits()).has_alpha


@pytest.mark.parametrize("disposes", [False, True])
def test_a_webp_of_opaque_frames_has_clear_pixels_only_where_no_frame_covers(
    disposes: bool, save: Save
) -> None:
    pixels = np.full((5, 6, 4), 255, np.uint8)
    frames = [WebpFrame(pixels, disposes=disposes), WebpFrame(pixels[:2, :2])]
    path = save(webp(SIZE, frames, alpha_flag=False), "in.webp")
    assert describe(path, Limits()).has_alpha is disposes


def test_an_animation_has_alpha_where_its_disposal_or_a_later_frame_leaves_clear_pixels(save: Save) -> None:
    zeros = np.zeros((5, 6), np.uint8)
    cases = {
        False: [[GifFrame(zeros), GifFrame(zeros)], [GifFrame(zeros), GifFrame(zeros[:2], disposal=2)]],
        True: [
            [GifFrame(zeros, disposal=2), GifFrame(zeros)],
            [GifFrame(zeros, disposal=3), GifFrame(zeros)],
            [GifFrame(zeros[:3])],
            [GifFrame(zeros), GifFrame(zeros, transparent=0)],
            [GifFrame(zeros[:4, :4], 2, 1)],
        ],
    }
    for expected, files in cases.items():
        for frames in files:
            description = describe(save(gif(SIZE, frames, PALETTE), "in.gif"), Limits())
            assert description.has_alpha is expected, frames
    for disposal in range(3):
        pixels = np.zeros((5, 6, 3), np.uint8)
        frames = [ApngFrame(pixels, disposal=disposal), ApngFrame(pixels[:2])]
        description = describe(save(apng(SIZE, frames, 2), "in.png"), Limits())
        assert description.has_alpha is (disposal != 0)


def _plain(colour: Sequence[int], width: int = 6, height: int = 5) -> Pixels:
    return np.full((height, width, len(colour)), colour, np.uint8)


def test_a_frame_disposed_to_the_previous_one_uncovers_it(save: Save, run: Run) -> None:
    frames = [
        ApngFrame(_plain(GREEN)),
        ApngFrame(_plain(RED, 2, 2), disposal=2),
        ApngFrame(_plain(BLUE, 2, 2), 4, 3),
    ]
    _, image = run(save(apng(SIZE, frames, 6), "in.png"), Frames(frame=2))
    assert image.convert("RGBA").getpixel((0, 0)) == GREEN
    assert image.convert("RGBA").getpixel((5, 4)) == BLUE


def test_a_gif_frame_disposed_to_the_background_leaves_clear_pixels_whatever_the_palettes(
    save: Save, run: Run
) -> None:
    zeros = np.zeros((5, 6), np.uint8)
    frames = [
        GifFrame(zeros),
        GifFrame(zeros[:3, :3], disposal=2, palette=OTHER_PALETTE),
        GifFrame(zeros[:1, :1], 5, 4, palette=b"\1\2\3"),
    ]
    facts, image = run(save(gif(SIZE, frames, PALETTE), "in.gif"), Convert(format="webp", lossless=True))
    assert facts.frames == 3
    image.seek(2)
    assert image.convert("RGBA").getpixel((1, 1)) == NOTHING
    assert image.convert("RGBA").getpixel((4, 1)) == RED
    assert image.convert("RGBA").getpixel((5, 4)) == (1, 2, 3, 255)


def test_the_only_frame_of_an_apng_is_shown_and_not_its_hidden_still_image(save: Save, run: Run) -> None:
    frames = [ApngFrame(_plain(HALF_RED, 2, 2), 1, 1, blend=1)]
    source = save(apng(SIZE, frames, 6, default=_plain(BLUE)), "in.png")
    facts, image = run(source, Convert(format="png"))
    assert (facts.frames, image.convert("RGBA").getpixel((1, 1))) == (1, HALF_RED)
    assert image.convert("RGBA").getpixel((0, 0)) == NOTHING


def test_an_apng_with_fewer_frames_than_it_announces_is_truncated(save: Save, run: Run) -> None:
    whole = apng(SIZE, [ApngFrame(_plain(RED)), ApngFrame(_plain(GREEN))], 6)
    with pytest.raises(SourceFault) as caught:
        run(save(whole[: whole.rindex(b"fcTL") - 4], "in.png"))
    assert caught.value.code == "image_truncated"


@pytest.mark.parametrize("name", ["gif", "png", "webp"])
def test_a_written_animation_shows_the_same_pixels_again(name: WrittenName, save: Save, run: Run) -> None:
    random = np.random.default_rng(4)
    colours = np.array([RED, GREEN, BLUE, NOTHING, (9, 9, 9, 255)], np.uint8)
    for kinds in product((2, 3, 5), repeat=3):  # frames with two, three opaque colours, and with clear pixels
        frames = [ApngFrame(colours[random.integers(0, kind, (5, 6))]) for kind in kinds]
        convert = Convert(format=name, lossless=name == "webp")
        facts, image = run(save(apng(SIZE, frames, 6), "in.png"), convert)
        expected = [frame.samples.astype(np.float64) for frame in frames]
        _, again = run(save(file_of(image).read_bytes(), "again"), Convert(format="png"))
        assert facts.frames == 3
        assert_shown(composed(file_of(again), "png"), expected, kinds)
