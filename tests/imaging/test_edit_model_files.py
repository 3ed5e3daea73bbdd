"""Image files that are sent to an edit model, and files that come back from it."""

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
    """Return a picture that no encoder can compress well."""
    random = numpy.random.default_rng(1)
    return Image.fromarray(random.integers(0, 256, (size[1], size[0], channels), dtype=numpy.uint8))


@pytest.mark.parametrize("requirements", [ANY, SQUARE], ids=["any", "square"])
def test_a_picture_is_reduced_until_its_file_is_small_enough(
    save: Save, tmp_path: Path, requirements: InputRequirements
) -> None:
    strict = InputRequirements(square=requirements.square, max_bytes=200_000, max_edge=1024)
    prepared = prepare(save(noise((900, 600)), "noise.png"), None, tmp_path, strict, Limits())
    assert 100_000 < prepared.picture.stat().st_size < 200_000
    with Image.open(prepared.picture) as picture:
        assert (picture.width == picture.height) == requirements.square


@pytest.mark.parametrize("size", [(300, 100), (100, 300), (101, 33), (64, 64)])
@pytest.mark.parametrize("answer_side", [256, 1000])
def test_a_picture_padded_to_a_square_comes_back_in_its_own_shape(
    save: Save, tmp_path: Path, size: tuple[int, int], answer_side: int
) -> None:
    prepared = prepare(save(Image.new("RGB", size, "red"), "a.jpg"), None, tmp_path, SQUARE, Limits())
    with Image.open(prepared.picture) as sent:
        assert (sent.mode, sent.format, sent.size) == ("RGBA", "PNG", (max(size),) * 2)
        answer = save(sent.resize((answer_side, answer_side)), "answer.png")
    done = finish(answer, tmp_path / "done", [Convert(format="png")], Limits(), prepared=prepared, assets={})
    assert abs(done.rendered.width * size[1] - done.rendered.height * size[0]) <= max(size) * 1.5
    with Image.open(tmp_path / "done") as result:
        centre = result.convert("RGB").getpixel((result.width // 2, result.height // 2))
        corner = result.convert("RGB").getpixel((2, 2))
        assert isinstance(centre, tuple)
        assert isinstance(corner, tuple)
        assert centre[0] > 240
        assert corner[0] > 200, "no padding is left"


def test_a_rotated_mask_is_turned_upright(save: Save, tmp_path: Path) -> None:
    upright = Image.new("RGBA", (40, 20), (0, 0, 0, 255))
    upright.paste((0, 0, 0, 0), (0, 0, 10, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    rotated = save(upright.transpose(Image.Transpose.ROTATE_90), "mask.png", exif=exif)
    prepared = prepare(save(Image.new("RGB", (80, 40)), "a.png"), rotated, tmp_path, ANY, Limits())
    assert prepared.mask is not None
    with Image.open(prepared.mask) as mask:
        alpha = mask.getchannel("A")
    assert [alpha.getpixel(at) for at in ((4, 4), (4, 36), (60, 4))] == [0, 0, 255]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_mask_without_transparent_pixels_is_refused(save: Save, tmp_path: Path, mode: str) -> None:
    source, mask = (
        save(Image.new("RGB", (8, 8)), "a.png"),
        save(Image.new("RGB", (8, 8)).convert(mode), "m.png"),
    )
    with pytest.raises(MaskWithoutHole):
        prepare(source, mask, tmp_path, ANY, Limits())


def test_an_unreadable_mask_has_its_own_error(save: Save, tmp_path: Path) -> None:
    source = save(noise((60, 60)), "a.png")
    cut = save(source.read_bytes()[:5000], "cut.png")
    with pytest.raises(AssetUnreadable, match="mask"):
        prepare(source, cut, tmp_path, ANY, Limits())
    with pytest.raises(ImageTruncated):
        prepare(cut, None, tmp_path, ANY, Limits())
