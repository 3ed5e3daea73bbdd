"""Pictures on their way to a model, and back."""

from pathlib import Path

import numpy
import pytest
from PIL import Image

from libs.imaging.edit_model_files import InputRequirements, finish, prepare
from libs.imaging.errors import AssetUnreadable, ImageTruncated, MaskWithoutHole
from libs.imaging.limits import Limits
from libs.imaging.operations import Convert
from tests.imaging.conftest import Save

ANY = InputRequirements(square=False, max_bytes=50_000_000, max_edge=4096)
SQUARE = InputRequirements(square=True, max_bytes=4_000_000, max_edge=4096)


def noise(size: tuple[int, int], channels: int = 3) -> Image.Image:
    """A picture that no encoder makes small."""
    random = numpy.random.default_rng(1)
    return Image.fromarray(random.integers(0, 256, (size[1], size[0], channels), dtype=numpy.uint8))


@pytest.mark.parametrize("requirements", [ANY, SQUARE], ids=["any", "square"])
def test_a_picture_is_made_smaller_until_its_file_is_small_enough(
    save: Save, tmp_path: Path, requirements: InputRequirements
) -> None:
    narrow = InputRequirements(square=requirements.square, max_bytes=200_000, max_edge=1024)
    made = prepare(save(noise((900, 600)), "noise.png"), None, tmp_path, narrow, Limits())
    assert 100_000 < made.picture.stat().st_size < 200_000
    with Image.open(made.picture) as picture:
        assert (picture.width == picture.height) == requirements.square


@pytest.mark.parametrize("size", [(300, 100), (100, 300), (101, 33), (64, 64)])
@pytest.mark.parametrize("answered", [256, 1000])
def test_what_was_laid_into_a_square_comes_back_in_its_own_shape(
    save: Save, tmp_path: Path, size: tuple[int, int], answered: int
) -> None:
    made = prepare(save(Image.new("RGB", size, "red"), "a.jpg"), None, tmp_path, SQUARE, Limits())
    with Image.open(made.picture) as sent:
        assert (sent.mode, sent.format, sent.size) == ("RGBA", "PNG", (max(size),) * 2)
        answer = save(sent.resize((answered, answered)), "answer.png")
    done = finish(answer, tmp_path / "done", [Convert(format="png")], Limits(), window=made.window, assets={})
    assert abs(done.rendered.width * size[1] - done.rendered.height * size[0]) <= max(size) * 1.5
    with Image.open(tmp_path / "done") as result:
        centre = result.convert("RGB").getpixel((result.width // 2, result.height // 2))
        corner = result.convert("RGB").getpixel((2, 2))
        assert isinstance(centre, tuple)
        assert isinstance(corner, tuple)
        assert centre[0] > 240
        assert corner[0] > 200, "no bar is left"


def test_a_mask_that_lies_on_its_side_is_turned_upright(save: Save, tmp_path: Path) -> None:
    upright = Image.new("RGBA", (40, 20), (0, 0, 0, 255))
    upright.paste((0, 0, 0, 0), (0, 0, 10, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = save(upright.transpose(Image.Transpose.ROTATE_90), "mask.png", exif=exif)
    made = prepare(save(Image.new("RGB", (80, 40)), "a.png"), lying, tmp_path, ANY, Limits())
    assert made.mask is not None
    with Image.open(made.mask) as mask:
        alpha = mask.getchannel("A")
    assert [alpha.getpixel(at) for at in ((4, 4), (4, 36), (60, 4))] == [0, 0, 255]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_mask_without_a_hole_is_refused(save: Save, tmp_path: Path, mode: str) -> None:
    source, mask = (
        save(Image.new("RGB", (8, 8)), "a.png"),
        save(Image.new("RGB", (8, 8)).convert(mode), "m.png"),
    )
    with pytest.raises(MaskWithoutHole):
        prepare(source, mask, tmp_path, ANY, Limits())


def test_a_fault_of_the_mask_is_not_one_of_the_source(save: Save, tmp_path: Path) -> None:
    source = save(noise((60, 60)), "a.png")
    cut = save(source.read_bytes()[:5000], "cut.png")
    with pytest.raises(AssetUnreadable, match="mask"):
        prepare(source, cut, tmp_path, ANY, Limits())
    with pytest.raises(ImageTruncated):
        prepare(cut, None, tmp_path, ANY, Limits())
