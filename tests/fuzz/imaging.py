"""Fuzz `describe` and `render` with damaged files: `make fuzz`.

Any exception that is not an imaging error is a finding, and so is a file that takes longer than one run may.
A part of the runs damages one tag of a rich EXIF block; then every other tag must be in the result.
"""

import sys
from importlib import import_module
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory, mkdtemp

import atheris

with atheris.instrument_imports(include=["libs.imaging", "PIL"]):  # pyright: ignore
    from PIL import Image

    from libs.imaging.describe import describe
    from libs.imaging.errors import ImagingError
    from libs.imaging.formats import FORMATS, WRITTEN_FORMATS, WrittenName
    from libs.imaging.limits import Limits
    from libs.imaging.operations import (
        AnyOperation,
        Blur,
        Compress,
        Convert,
        Crop,
        Grayscale,
        Metadata,
        Resize,
        Rotate,
        Trim,
    )
    from libs.imaging.pipeline import render

from tests.imaging.damaged_exif import random_damage
from tests.imaging.rich_exif import find_block, parse

import_module("pillow_jxl")  # registers JPEG XL with Pillow
LIMITS = Limits(max_pixels=1_000_000, max_side=4_000, max_frames=16, max_bytes=1_000_000)
PIPELINES: tuple[list[AnyOperation], ...] = (
    [],
    [Resize(width=16, height=16, fit="cover")],
    [Grayscale(), Convert(format="png")],
    [Metadata(mode="keep", color="keep"), Convert(format="jpeg")],
    [Metadata(mode="strip_location", dpi="keep"), Convert(format="tiff")],
    [Trim(), Blur(sigma=1), Convert(format="webp")],
    [Compress(quality=40)],
    [Crop(aspect="1:1", gravity="smart"), Rotate(angle=30)],
)
_EXIF = 0xE1  # the first byte of a run that damages EXIF
_FOLDER = Path(mkdtemp())
HEIC = Path(__file__).parents[1] / "imaging/heic"  # samples, because nothing here writes HEIC


def write_seeds(folder: Path) -> None:
    """Write small files of every format, with metadata, as still images and as animations."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    exif.get_ifd(0x8825)[1] = "N"
    for file in HEIC.glob("*.heic"):
        (folder / file.name).write_bytes(file.read_bytes())
    for name in WRITTEN_FORMATS:
        image_format = FORMATS[name]
        for mode in ("RGB", "L", "RGBA"):
            if mode == "RGBA" and not image_format.alpha:
                continue
            images = [
                Image.radial_gradient("L").resize((24, 16)).rotate(turn).convert(mode) for turn in (0, 90)
            ]
            for frames in (1, 2) if image_format.animation else (1,):
                options = {"save_all": True, "append_images": images[1:]} if frames > 1 else {}
                if image_format.metadata and frames == 1:
                    options |= {"exif": exif.tobytes() if name == "jxl" else exif}
                buffer = BytesIO()
                images[0].save(buffer, format=image_format.pillow, **options)
                (folder / f"{mode}-{frames}.{image_format.extension}").write_bytes(buffer.getvalue())


def fuzz_one_input(data: bytes) -> None:
    """Describe a file and run the pipeline over it that the first byte chooses."""
    if not data:
        return
    if data[0] == _EXIF:
        fuzz_exif(Random(data))  # noqa: S311
        return
    source = _FOLDER / "source"
    source.write_bytes(data[1:])
    try:
        describe(source, LIMITS)
        render(source, _FOLDER / "target", PIPELINES[data[0] % len(PIPELINES)], LIMITS)
    except ImagingError:
        pass


def fuzz_exif(random: Random) -> None:
    """Damage one tag, copy the metadata into a random format, and look for the other tags."""
    damaged = random_damage(random)
    names: tuple[WrittenName, ...] = ("jpeg", "png", "webp", "tiff")
    before, after = random.choice(names), random.choice(names)
    source, target = _FOLDER / "source", _FOLDER / "target"
    Image.new("RGB", (16, 8)).save(source, "JPEG", exif=b"Exif\0\0" + damaged.data)
    for name in (before, after):
        describe(source, LIMITS)
        render(
            source,
            target,
            [Metadata(mode="keep", dpi=random.choice((None, "keep"))), Convert(format=name)],
            LIMITS,
        )
        source.write_bytes(target.read_bytes())
    lost = damaged.lost(set(parse(find_block(target.read_bytes()))))
    assert not lost, f"{damaged.what}, {before} to {after}: {lost}"


def main() -> None:
    with TemporaryDirectory() as folder:
        corpus = Path(folder)
        write_seeds(corpus)
        for number, file in enumerate(sorted(corpus.iterdir())):  # the first byte chooses the pipeline
            file.write_bytes(bytes([number]) + file.read_bytes())
        for number in range(32):
            (corpus / f"exif-{number}").write_bytes(bytes([_EXIF, number]))
        arguments = [
            sys.argv[0],
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-max_len=20000",
            *sys.argv[1:],
            folder,
        ]
        atheris.Setup(arguments, fuzz_one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
