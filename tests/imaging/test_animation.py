"""Animations keep their frames, timing and loop through all operations."""

from typing import Any

import pytest
from PIL import Image

from libs.imaging.errors import ImageTooLarge, ResultTooLarge
from libs.imaging.limits import Limits
from libs.imaging.operations import AnyOperation, Blur, Convert, Crop, Flip, Grayscale, Resize, Rotate, Sepia
from tests.imaging.conftest import Run, Save

COLOURS = ["red", "lime", "blue", "white"]
DURATIONS_MS = [100, 200, 300, 50]
OPERATIONS: list[AnyOperation] = [
    Resize(width=20),
    Resize(width=20, height=20, fit="contain"),
    Crop(width=20, height=10),
    Rotate(angle=30),
    Flip(),
    Grayscale(),
    Sepia(),
    Blur(),
]


def _animation(save: Save, extension: str, *, loop: int | None = 0) -> Any:
    frames = [Image.new("RGB", (40, 30), colour) for colour in COLOURS]
    options = {} if loop is None else {"loop": loop}
    return save(
        frames[0],
        f"in.{extension}",
        save_all=True,
        append_images=frames[1:],
        duration=DURATIONS_MS,
        **options,
    )


def _durations_ms(image: Image.Image) -> list[float]:
    durations: list[float] = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        image.load()
        durations.append(image.info["duration"])
    return durations


@pytest.mark.parametrize("before", ["gif", "png", "webp", "avif"])
@pytest.mark.parametrize("after", ["gif", "png", "webp", "avif"])
def test_every_animated_format_converts_to_every_other(before: str, after: Any, save: Save, run: Run) -> None:
    facts, image = run(_animation(save, before), Resize(width=20), Convert(format=after))
    assert (facts.format, facts.frames, facts.width, facts.height) == (after, 4, 20, 15)
    with Image.open(str(image.filename)) as result:  # pyright: ignore
        assert _durations_ms(result) == DURATIONS_MS


@pytest.mark.parametrize("operation", OPERATIONS, ids=repr)
@pytest.mark.parametrize("extension", ["gif", "png", "webp"])
def test_every_operation_keeps_the_frames(
    operation: AnyOperation, extension: str, save: Save, run: Run
) -> None:
    facts, _ = run(_animation(save, extension), operation)
    assert (facts.frames, (facts.width, facts.height)) == (4, operation.result_size((40, 30)))


@pytest.mark.parametrize("loop", [None, 0, 3])
def test_the_loop_count_of_a_gif_is_kept(loop: int | None, save: Save, run: Run) -> None:
    source = _animation(save, "gif", loop=loop)
    assert run(source, Flip())[1].info.get("loop") == loop
    plays = {None: 1, 0: 0, 3: 4}[loop]
    assert run(source, Convert(format="webp"))[1].info["loop"] == plays
    assert run(source, Convert(format="png"))[1].info["loop"] == plays


@pytest.mark.parametrize("name", ["jpeg", "tiff", "bmp"])
def test_a_format_without_animation_gets_the_first_frame(name: Any, save: Save, run: Run) -> None:
    facts, image = run(_animation(save, "gif"), Convert(format=name))
    pixel = image.getpixel((20, 15))
    assert facts.frames == 1
    assert isinstance(pixel, tuple)
    assert pixel[0] >= 250
    assert pixel[1] <= 4


def test_limits_count_every_frame(save: Save, run: Run) -> None:
    with pytest.raises(ImageTooLarge):
        run(_animation(save, "gif"), Flip(), limits=Limits(max_pixels=40 * 30 * 3))
    with pytest.raises(ResultTooLarge):
        run(_animation(save, "gif"), Resize(width=80, enlarge=True), limits=Limits(max_pixels=40 * 30 * 8))
