"""PNGs are decoded by a faster library with the results of Pillow: pixels, tolerance and errors."""

import os
import random
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from libs.imaging.samples.png_inflater import StoredStream
from libs.imaging.samples.png_reader import PngReader
from tests.imaging.png_files import chunk

ROOT = Path(__file__).parents[2]
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def _png(image: Image.Image, *, level: int = 6, strategy: int = 0, piece: int = 8192) -> bytes:
    """Encode an image with data chunks of `piece` bytes, each after an empty one."""
    with BytesIO() as file:
        image.save(file, "PNG", compress_level=level, compress_type=strategy)
        data = file.getvalue()
    head, pixels = _split(data)
    pieces = [pixels[at : at + piece] for at in range(0, len(pixels), piece)]
    chunks = b"".join(chunk(b"IDAT", b"") + chunk(b"IDAT", part) for part in pieces)
    return head + chunks + chunk(b"tEXt", b"Comment\0after the pixels") + chunk(b"IEND", b"")


def _split(data: bytes) -> tuple[bytes, bytes]:
    """Return what stands before the pixels, and the compressed pixels."""
    at, pixels, head = 8, b"", data[:8]
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"IDAT":
            pixels += data[at + 8 : at + 8 + length]
        elif name != b"IEND":
            head += data[at : at + 12 + length]
        at += 12 + length
    return head, pixels


def _photo(photos: Path, mode: str) -> Image.Image:
    with Image.open(photos / "coffee.png") as image:
        return image.convert("RGB").resize((301, 97)).convert("L" if mode == "I;16" else mode).convert(mode)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize(
    ("level", "strategy", "piece"), [(0, 0, 70_000), (1, 0, 1), (6, 0, 8192), (9, 2, 999), (6, 4, 10_000)]
)
def test_the_pixels_are_those_of_pillow(
    photos: Path, mode: str, level: int, strategy: int, piece: int
) -> None:
    data = _png(_photo(photos, mode), level=level, strategy=strategy, piece=piece)
    _assert_same(data)
    assert _opened(data, PngReader).info["Comment"] == "after the pixels"


def _opened(data: bytes, reader: type[PngImagePlugin.PngImageFile]) -> Image.Image:
    image = reader(BytesIO(data))
    image.load()
    return image


def _assert_same(data: bytes) -> None:
    assert _outcome(data, PngReader) == _outcome(data, PngImagePlugin.PngImageFile)


def _outcome(data: bytes, reader: type[PngImagePlugin.PngImageFile]) -> object:
    try:
        image = _opened(data, reader)
    except Exception as error:  # noqa: BLE001 - whatever Pillow raises
        return type(error), str(error)
    return image.mode, image.size, image.tobytes(), image.info.get("Comment")


def test_a_damaged_or_cut_file_has_the_outcome_that_pillow_gives_it(photos: Path) -> None:
    whole = _png(_photo(photos, "RGB"), piece=3000)
    source = random.Random(1)  # noqa: S311 - the same damage every time
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(source.choice([1, 1, 5])):
            damaged[source.randrange(33, len(damaged))] = source.randrange(256)
        _assert_same(bytes(damaged[: source.choice([len(whole), source.randrange(33, len(whole))])]))


@pytest.mark.parametrize(
    "change", ["surplus rows", "surplus data", "no checksum", "wrong checksum", "rows missing"]
)
def test_a_stream_of_another_length_has_the_outcome_that_pillow_gives_it(photos: Path, change: str) -> None:
    head, pixels = _split(_png(_photo(photos, "RGB")))
    rows = zlib.decompress(pixels)
    changed = {
        "surplus rows": zlib.compress(rows + rows),
        "surplus data": pixels + b"surplus",
        "no checksum": pixels[:-4],
        "wrong checksum": pixels[:-4] + b"\0\0\0\0",
        "rows missing": zlib.compress(rows[: len(rows) // 2]),
    }[change]
    _assert_same(head + chunk(b"IDAT", changed) + chunk(b"IEND", b""))


@pytest.mark.parametrize(
    "length", [0, 1, 65_535, 65_536, 1_048_559, 1_048_560, 1_048_561, 3_000_000, 9_000_000]
)
@pytest.mark.parametrize("piece", [1000, 65_536])
def test_the_new_stream_has_the_same_contents(length: int, piece: int) -> None:
    contents = b"flat" * (length // 4) + b"-" * (length % 4)
    data = zlib.compress(contents, 9)
    pieces = iter([data[at : at + piece] for at in range(0, len(data), piece)])
    stream = StoredStream(lambda: next(pieces, b""))
    assert zlib.decompress(b"".join(iter(stream.read, b""))) == contents


def test_a_bomb_is_inflated_in_small_pieces() -> None:
    bomb = zlib.compress(bytes(200_000_000), 9)
    stream = StoredStream(iter([bomb, b""]).__next__)
    longest = total = 0
    while piece := stream.read():
        longest, total = max(longest, len(piece)), total + len(piece)
    assert total > 200_000_000
    assert longest < 1_100_000


def test_pixels_do_not_take_more_memory_than_with_pillow(tmp_path: Path) -> None:
    source = tmp_path / "large.png"
    Image.radial_gradient("L").resize((4000, 3000)).convert("RGB").save(source, compress_level=1)
    code = """
import resource, sys
from pathlib import Path
from PIL import PngImagePlugin
from libs.imaging.samples import png_inflater
from libs.imaging.samples.png_reader import PngReader
with Path(sys.argv[2]).open("rb") as file:
    reader = PngReader if sys.argv[1] == "ours" else PngImagePlugin.PngImageFile
    reader(file).load()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    peaks = {
        name: int(
            subprocess.run(
                [sys.executable, "-c", code, name, str(source)],
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                capture_output=True,
                check=True,
            ).stdout
        )
        for name in ("ours", "pillow")
    }
    assert peaks["ours"] < peaks["pillow"] + 6_000  # KiB
