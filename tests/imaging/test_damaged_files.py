"""Thousands of damaged HEIC, JPEG XL and AVIF sequences end as a result or as an error with a code.

They are rendered in a process with a limit of memory, as a render process has one: a decoder that crashes, or
that allocates what a damaged header says, would end it.
"""

import subprocess
import sys
from collections import Counter
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image

from libs.imaging.describe import describe
from libs.imaging.limits import Limits
from tests.imaging.heic_files import FOLDER, Item, box, exif, grid, heic, picture, xmp
from tests.imaging.jxl_files import boxed

MEMORY_BYTES = 1024**3
HEADER_BYTES = 700

RENDER = """
import resource, sys, time
from pathlib import Path
from libs.imaging.describe import describe
from libs.imaging.errors import ImagingError
from libs.imaging.limits import Limits
from libs.imaging.operations import Metadata, Resize
from libs.imaging.pipeline import render

folder, memory = Path(sys.argv[1]), int(sys.argv[2])
limits = Limits(max_pixels=2_000_000, max_side=4_000, max_frames=20)
resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
for source in sorted(folder.iterdir()):
    start = time.process_time()
    try:
        render(source, folder / "../result", [Metadata(mode="keep"), Resize(width=16)], limits)
        print("result")
    except ImagingError as error:
        print(error.code)
    assert time.process_time() - start < 5, source
"""

CODES = {
    "result",
    "format_not_accepted",
    "feature_not_supported",
    "image_too_large",
    "image_truncated",
    "image_unreadable",
    "not_an_image",
    "side_too_long",
    "too_many_frames",
    "too_much_metadata",
}


def _jxl(**options: Any) -> bytes:
    buffer = BytesIO()
    with Image.open(FOLDER / "photo.png") as image:
        image.resize((48, 32)).save(buffer, "JXL", **options)
    return buffer.getvalue()


def _sequence() -> bytes:
    buffer = BytesIO()
    with Image.open(FOLDER / "photo.png") as image:
        frames = [image.resize((48, 32)).rotate(turn) for turn in (0, 90, 180)]
    frames[0].save(buffer, "AVIF", save_all=True, append_images=frames[1:], speed=10)
    return buffer.getvalue()


def test_a_mime_type_that_is_no_text_is_passed_over(tmp_path: Path) -> None:
    """The library crashes when it reads one."""
    source = tmp_path / "source"
    strange = Item(type=b"mime", data=b"<a/>", mime=b"\xff\xfe", references=[(b"cdsc", 1)])
    source.write_bytes(heic(picture(), strange, xmp(b"<x:xmpmeta/>")))
    assert describe(source, Limits()).xmp == "<x:xmpmeta/>"


def _metadata() -> bytes:
    block = Image.Exif()
    block[271] = "Maker"
    return block.tobytes()[6:]


FILES = {
    "HEIC": lambda: heic(picture("rgb.heic", box(b"irot", b"\1")), exif(_metadata()), xmp(b"<x:xmpmeta/>")),
    "deep HEIC": lambda: heic(picture("rgb10.heic")),
    "HEIC with alpha": lambda: (FOLDER / "alpha.heic").read_bytes(),
    "HEIC of tiles": lambda: heic(
        *[picture("grey12.heic", hidden=True)] * 2, grid(2, 1, (200, 64), [1, 2]), primary=3
    ),
    "JPEG XL": lambda: _jxl(quality=50),
    "lossless JPEG XL": lambda: _jxl(lossless=True, effort=3),
    "JPEG XL in boxes": lambda: boxed(_jxl(), (b"Exif", bytes(4) + _metadata()), (b"xml ", b"<a/>"), parts=3),
    "AVIF sequence": _sequence,
}


def _damaged(data: bytes, random: Random) -> bytes:
    """Change, remove, repeat or insert a few bytes, half of the time in the header."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4))):
        end = min(len(changed), HEADER_BYTES) if random.random() < 0.5 else len(changed)
        at = random.randrange(end)
        match random.randrange(5):
            case 0:
                del changed[at : at + random.randrange(1, 5)]
            case 1:
                changed[at:at] = changed[at : at + random.randrange(1, 9)]
            case 2:
                changed[at : at + 4] = random.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"))
            case _:
                changed[at] = random.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize("name", FILES)
def test_every_damaged_file_ends_as_a_result_or_with_a_code(name: str, tmp_path: Path) -> None:
    data = FILES[name]()
    random = Random(name)  # noqa: S311
    files = [data[:length] for length in range(0, len(data), max(1, len(data) // 120))]
    files += [_damaged(data, random) for _ in range(300)]
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "00000").write_bytes(data)
    for number, file in enumerate(filter(None, files), 1):
        (folder / f"{number:05}").write_bytes(file)
    command = [sys.executable, "-c", RENDER, str(folder), str(MEMORY_BYTES)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert (ran.returncode, ran.stderr) == (0, "")
    codes = ran.stdout.split()
    assert codes[0] == "result"
    assert len(codes) > 380
    assert set(codes) <= CODES, Counter(codes)
