"""How results are written: sizes in bytes, formats, palettes, metadata, frames."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile, PngImagePlugin

from libs.imaging import frame_encoder, quality_search
from libs.imaging.errors import FrameMissing, TargetUnreachable
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.limits import Limits
from libs.imaging.operations import Compress, Convert, Flip, Frames, Metadata, Resize, Sepia
from libs.imaging.operations.operation import Output
from libs.imaging.pipeline import render
from tests.imaging.conftest import Run, Save
from tests.imaging.float_reference import as_floats, psnr, to_srgb

SECRET = b"SECRET"


@pytest.fixture
def encodes(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """The quality of every encode."""
    seen: list[int | None] = []
    real = frame_encoder.still_options

    def recorded(output: Output) -> dict[str, Any]:
        seen.append(output.quality)
        return real(output)

    monkeypatch.setattr(frame_encoder, "still_options", recorded)
    return seen


@pytest.mark.parametrize("name", ["jpeg", "webp", "avif", "png", "gif"])
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


def test_a_target_out_of_reach_tells_the_smallest_size(
    photos: Path, tmp_path: Path, encodes: list[int | None]
) -> None:
    with pytest.raises(TargetUnreachable) as caught:
        render(photos / "rocket.jpg", tmp_path / "out", [Compress(max_bytes=100)], Limits())
    smallest = render(photos / "rocket.jpg", tmp_path / "out", [Compress(quality=1)], Limits()).size_bytes
    assert caught.value.smallest_bytes == smallest
    assert str(smallest) in str(caught.value)
    assert len(encodes) <= quality_search.MAX_ENCODES + 1
    assert not list(tmp_path.glob("*.trial"))


def test_quality_is_the_ceiling_of_a_search(photos: Path, run: Run, encodes: list[int | None]) -> None:
    run(photos / "rocket.jpg", Compress(quality=50, max_bytes=10_000_000, never_larger=False))
    assert encodes == [50]


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "gif", "avif"])
def test_a_lone_compress_never_makes_a_file_larger(
    name: FormatName, photos: Path, save: Save, run: Run
) -> None:
    with Image.open(photos / "astronaut.png") as image:
        small = image.resize((100, 100))
    source = save(small.quantize(8) if name in {"png", "gif"} else small, f"in.{name}", quality=5)
    facts, _ = run(source, Compress(quality=99))
    assert facts.size_bytes <= source.stat().st_size
    grown, _ = run(source, Compress(quality=99, never_larger=False))
    if name not in {"png", "gif"}:  # which come out smaller as it is
        assert (facts.md5, grown.size_bytes > facts.size_bytes) == (_md5(source), True)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "avif", "gif"])
def test_what_is_kept_of_the_source_is_kept_without_its_metadata(
    name: FormatName, photos: Path, save: Save, run: Run
) -> None:
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


@pytest.mark.parametrize(
    ("accept", "opaque", "clear"),
    [
        (["avif", "webp", "jpeg", "png"], "avif", "avif"),
        (["jpeg", "webp"], "webp", "webp"),
        (["jpeg", "png"], "jpeg", "png"),
        ([], "jpeg", "png"),
    ],
)
def test_auto_takes_the_best_that_is_accepted(
    accept: list[Any], opaque: str, clear: str, save: Save, run: Run
) -> None:
    convert = Convert(format="auto", accept=tuple(accept))
    assert run(save(Image.new("RGB", (20, 20)), "in.bmp"), convert)[0].format == opaque
    assert run(save(Image.new("RGBA", (20, 20)), "in.png"), convert)[0].format == clear
    solid = Image.new("RGBA", (20, 20), (1, 2, 3, 255))
    assert run(save(solid, "in.png"), convert)[0].format == opaque


def test_auto_keeps_an_animation(save: Save, run: Run) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    source = save(frames[0], "in.gif", save_all=True, append_images=frames[1:], duration=100)
    assert run(source, Convert(format="auto", accept=("webp",)))[0].frames == 2
    facts, _ = run(source, Convert(format="auto", accept=()))
    assert (facts.format, facts.frames) == ("png", 2)


@pytest.mark.parametrize("name", ["png", "gif"])
@pytest.mark.parametrize("colours", [2, 16, 256])
def test_a_palette_has_at_most_that_many_colours(name: Any, colours: int, photos: Path, run: Run) -> None:
    facts, image = run(photos / "astronaut.png", Convert(format=name, colors=colours))
    assert (image.mode, facts.format) == ("P", name)
    found = image.convert("RGB").getcolors(512 * 512)
    assert found
    assert len(found) <= colours


def test_a_picture_of_256_colours_keeps_each_in_a_gif(save: Save, run: Run) -> None:
    colours = np.random.default_rng(1).integers(0, 256, (256, 3), dtype=np.uint8)
    pixels = colours[np.arange(4096).reshape(64, 64) % 256]
    _, image = run(save(Image.fromarray(pixels), "few.png"), Convert(format="gif"))
    assert np.array_equal(np.asarray(image.convert("RGB")), pixels)


@pytest.mark.parametrize("photo", ["astronaut.png", "coffee.png", "chelsea.png", "retina.jpg", "rocket.jpg"])
def test_a_gifs_palette_is_nearer_than_a_median_cut_of_all_colours(
    photo: str, photos: Path, run: Run
) -> None:
    _, all_colours = run(photos / photo, Convert(format="png"))
    pixels, whole = as_floats(all_colours), all_colours.quantize(256, Image.Quantize.MEDIANCUT)
    _, image = run(photos / photo, Convert(format="gif"))
    assert psnr(image.convert("RGB"), pixels) >= psnr(whole.convert("RGB"), pixels) + 0.5


def test_encoder_options_do_what_they_say(photos: Path, run: Run) -> None:
    source = photos / "astronaut.png"
    with Image.open(source) as image:
        pixels = as_floats(image)
    assert np.array_equal(as_floats(run(source, Convert(format="webp", lossless=True))[1]), pixels)
    assert psnr(run(source, Convert(format="avif", lossless=True))[1], pixels) >= 48
    _, progressive = run(source, Convert(format="jpeg", progressive=True))
    assert progressive.info.get("progressive")
    for name in ("jpeg", "avif"):
        sharp, thin = (
            run(source, Convert(format=name, quality=60, subsampling=ratio))[0].size_bytes
            for ratio in ("4:4:4", "4:2:0")
        )
        assert thin < sharp
    for name in ("png", "webp", "jpeg"):
        fast, slow = (run(source, Convert(format=name, effort=effort))[0].size_bytes for effort in (0, 9))
        assert slow < fast


def _rich(save: Save, name: FormatName) -> Path:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Maker", "Model", 6
    exif[0x013B], exif[0x8298] = "Ann Artist", "(c) Ann"
    exif.get_ifd(0x8825)[1] = "N"
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF tiff:Orientation="6">WORDS</rdf:RDF></x:xmpmeta>'
    options: dict[str, Any] = {"exif": exif, "xmp": xmp}
    if name == "png":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())
    if name == "tiff":
        options["exif"] = Image.Exif()
        options["exif"].load(exif.tobytes())
        options["exif"][700] = options.pop("xmp")
    return save(Image.new("RGB", (40, 20), "teal"), f"in.{name}", **options)


@pytest.mark.parametrize("before", ["jpeg", "png", "webp", "avif", "tiff"])
@pytest.mark.parametrize("after", ["jpeg", "png", "webp", "avif", "tiff"])
def test_metadata_goes_over_upright(before: FormatName, after: Any, save: Save, run: Run) -> None:
    source = _rich(save, before)
    _, image = run(source, Metadata(mode="keep"), Convert(format=after))
    exif = image.getexif()
    assert (exif[0x010F], exif[0x8298], exif.get(0x0112, 1)) == ("Maker", "(c) Ann", 1)
    assert dict(exif.get_ifd(0x8825)) == {1: "N"}
    data = Path(str(image.filename)).read_bytes()  # pyright: ignore
    assert b"WORDS" in data
    assert b'Orientation="6"' not in data
    assert image.size == (20, 40)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "avif", "tiff"])
def test_only_the_copyright_goes_over(name: FormatName, save: Save, run: Run) -> None:
    _, image = run(_rich(save, name), Metadata(mode="keep_copyright"), Sepia())
    exif = image.getexif()
    assert (exif.get(0x013B), exif.get(0x8298), exif.get(0x010F)) == ("Ann Artist", "(c) Ann", None)
    assert not exif.get_ifd(0x8825)
    assert b"WORDS" not in Path(str(image.filename)).read_bytes()  # pyright: ignore


def test_iptc_goes_over(save: Save, run: Run) -> None:
    records = b"\x1c\x02\x74\x00\x07(c) Bob"
    block = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + len(records).to_bytes(4, "big") + records
    app13 = b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block
    source = save(Image.new("RGB", (20, 20)), "in.jpg", extra=app13)
    for name in ("jpeg", "tiff"):
        _, image = run(source, Metadata(mode="keep"), Convert(format=name))
        assert b"(c) Bob" in Path(str(image.filename)).read_bytes()  # pyright: ignore


def _display_p3() -> bytes:
    """A profile whose red and green are swapped: nobody can overlook it."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())  # pyright: ignore
    tags = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * profile[131], 12)}
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    profile[red + 4 : red + 12], profile[green + 4 : green + 12] = (
        profile[green + 4 : green + 12],
        profile[red + 4 : red + 12],
    )
    return bytes(profile)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "avif", "tiff"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colours_are_converted_or_kept_together_with_their_profile(
    name: FormatName, mode: str, save: Save, run: Run
) -> None:
    if name == "jpeg" and mode == "RGBA":
        return
    profile = _display_p3()
    source = save(Image.new(mode, (20, 20), (200, 40, 40)), f"in.{name}", icc_profile=profile)
    _, converted = run(source, Convert(format="png"))
    with Image.open(source) as image:
        expected = to_srgb(image.convert("RGB"), profile).getpixel((9, 9))
    assert np.abs(np.subtract(converted.convert("RGB").getpixel((9, 9)), expected)).max() <= 3  # pyright: ignore
    _, kept = run(source, Resize(width=10), Metadata(color="keep"))
    assert kept.info["icc_profile"] == profile
    pixel: Any = kept.convert("RGB").getpixel((4, 4))
    assert np.abs(np.subtract(pixel, (200, 40, 40))).max() <= 4
    _, gif = run(source, Metadata(color="keep"), Convert(format="gif"))
    assert np.abs(np.subtract(gif.convert("RGB").getpixel((9, 9)), expected)).max() <= 4  # pyright: ignore


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


@pytest.fixture
def film(save: Save) -> Path:
    frames = [Image.new("RGB", (20, 20), (level, 0, 0)) for level in (50, 100, 150, 200, 250)]
    return save(frames[0], "in.gif", save_all=True, append_images=frames[1:], duration=100, loop=0)


def test_one_frame_or_the_first_few(film: Path, run: Run) -> None:
    facts, image = run(film, Frames(frame=3))
    assert facts.frames == 1
    assert np.abs(np.asarray(image.convert("RGB"))[0, 0, 0] - 200) <= 4
    assert run(film, Frames(max_frames=2))[0].frames == 2
    assert run(film, Frames(max_frames=99), Flip())[0].frames == 5
    _, jpeg = run(film, Frames(frame=2), Convert(format="jpeg"))
    assert abs(int(np.asarray(jpeg)[0, 0, 0]) - 150) <= 6
    with pytest.raises(FrameMissing):
        run(film, Frames(frame=5))


def test_a_page_of_a_tiff_has_a_size_of_its_own(save: Save, run: Run) -> None:
    pages = [Image.new("RGB", (10 + 10 * page, 30), "teal") for page in range(3)]
    source = save(pages[0], "in.tiff", save_all=True, append_images=pages[1:])
    facts, image = run(source, Frames(frame=2), Flip())
    assert (facts.frames, image.size) == (1, (30, 30))


def test_an_apng_with_a_picture_of_its_own_for_stills_plays_all_frames(save: Save, run: Run) -> None:
    frames = [Image.new("RGB", (20, 20), (level, 0, 0)) for level in (50, 100, 150)]
    still = Image.new("RGB", (20, 20), "blue")
    source = save(still, "in.png", save_all=True, append_images=frames, duration=100, default_image=True)
    facts, image = run(source, Convert(format="webp", lossless=True))
    assert facts.frames == 3
    assert image.convert("RGB").getpixel((3, 3)) == (50, 0, 0)


def test_truncated_files_stay_refused() -> None:
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
    assert set(FORMATS) == {"jpeg", "png", "webp", "gif", "avif", "tiff", "bmp"}
