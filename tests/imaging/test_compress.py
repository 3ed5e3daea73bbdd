"""Compress: quality, the search for `max_bytes`, and files that must not grow."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from libs.imaging import quality_search
from libs.imaging.errors import TargetUnreachable
from libs.imaging.formats import FORMATS, WRITTEN_FORMATS, FormatName
from libs.imaging.frames import frame_encoder
from libs.imaging.limits import Limits
from libs.imaging.operations import Compress, Convert, Metadata
from libs.imaging.operations.operation import Output
from libs.imaging.pipeline import render
from tests.imaging.conftest import Run, Save

SECRET = b"SECRET"


@pytest.fixture
def encodes(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Record the quality of every encode."""
    seen: list[int | None] = []
    real = frame_encoder.still_options

    def recorded(output: Output) -> dict[str, Any]:
        seen.append(output.quality)
        return real(output)

    monkeypatch.setattr(frame_encoder, "still_options", recorded)
    return seen


@pytest.mark.parametrize("name", ["jpeg", "webp", "avif", "png", "gif", "jxl"])
@pytest.mark.parametrize("share", [0.9, 0.6, 0.35])
@pytest.mark.parametrize("photo", ["rocket.jpg", "coffee.png"])
def test_max_bytes_is_reached_closely_in_five_encodes(
    name: Any, share: float, photo: str, photos: Path, run: Run, encodes: list[int | None]
) -> None:
    best = run(photos / photo, Convert(format=name), Compress(quality=95))[0].size_bytes
    encodes.clear()
    wanted = int(best * share)
    facts, _ = run(photos / photo, Convert(format=name), Compress(max_bytes=wanted))
    assert 0.75 * wanted <= facts.size_bytes <= wanted
    assert len(encodes) <= quality_search.MAX_ENCODES


def test_an_unreachable_size_reports_the_smallest_size(
    photos: Path, tmp_path: Path, encodes: list[int | None]
) -> None:
    with pytest.raises(TargetUnreachable) as caught:
        render(photos / "rocket.jpg", tmp_path / "out", [Compress(max_bytes=100)], Limits())
    smallest = render(photos / "rocket.jpg", tmp_path / "out", [Compress(quality=1)], Limits()).size_bytes
    assert caught.value.smallest_bytes == smallest
    assert str(smallest) in str(caught.value)
    assert len(encodes) <= quality_search.MAX_ENCODES + 1
    assert not list(tmp_path.glob("*.trial"))


def test_quality_is_the_ceiling_of_the_search(photos: Path, run: Run, encodes: list[int | None]) -> None:
    run(photos / "rocket.jpg", Compress(quality=50, max_bytes=10_000_000, never_larger=False))
    assert encodes == [50]


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "gif", "avif"])
def test_compress_alone_never_makes_a_file_larger(
    name: FormatName, photos: Path, save: Save, run: Run
) -> None:
    with Image.open(photos / "astronaut.png") as image:
        small = image.resize((100, 100))
    source = save(small.quantize(8) if name in {"png", "gif"} else small, f"in.{name}", quality=5)
    facts, _ = run(source, Compress(quality=99))
    assert facts.size_bytes <= source.stat().st_size
    grown, _ = run(source, Compress(quality=99, never_larger=False))
    if name not in {"png", "gif"}:  # these become smaller anyway
        assert (facts.md5, grown.size_bytes > facts.size_bytes) == (_md5(source), True)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "avif", "gif"])
def test_a_kept_source_loses_its_metadata(name: FormatName, photos: Path, save: Save, run: Run) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "SECRET")
    extra: dict[FormatName, Any] = {
        "png": {"pnginfo": text, "exif": exif},
        "jpeg": {"comment": SECRET, "exif": exif, "xmp": SECRET},
        "gif": {"comment": SECRET},
    }
    with Image.open(photos / "astronaut.png") as image:
        small = image.resize((100, 100))
    source = save(
        small.quantize(8) if name in {"png", "gif"} else small,
        f"in.{name}",
        quality=5,
        **extra.get(name, {"exif": exif, "xmp": SECRET}),
    )
    assert SECRET in source.read_bytes()
    facts, image = run(source, Compress(quality=99))
    assert SECRET not in Path(str(image.filename)).read_bytes()  # pyright: ignore
    if name in {"jpeg", "png", "webp"}:
        with Image.open(source) as before:
            assert np.array_equal(np.asarray(before.convert("RGB")), np.asarray(image.convert("RGB")))
        assert facts.size_bytes < source.stat().st_size
    kept, image = run(source, Compress(quality=99), Metadata(mode="keep"))
    assert kept.format == name


@pytest.mark.parametrize("name", WRITTEN_FORMATS)
def test_compress_makes_a_photograph_smaller(name: FormatName, photos: Path, save: Save, run: Run) -> None:
    with Image.open(photos / "astronaut.png") as image:
        source = save(image, f"in.{FORMATS[name].extension}")
    small, best = (run(source, Compress(quality=quality))[0] for quality in (30, 90))
    assert small.size_bytes < best.size_bytes
    assert small.format == best.format == ("jpeg" if name in {"tiff", "bmp"} else name)


def test_convert_keeps_the_quality_of_compress(photos: Path, run: Run) -> None:
    source = photos / "astronaut.png"
    both = run(source, Compress(quality=20), Convert(format="jpeg"))[0]
    assert both.md5 == run(source, Convert(format="jpeg", quality=20))[0].md5


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
