"""IPTC is found wherever it is stored, and copied with its bytes."""

from itertools import product
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from libs.imaging.describe import describe
from libs.imaging.limits import Limits
from libs.imaging.metadata.exif_iptc import Caption
from libs.imaging.operations import Convert, Metadata
from libs.imaging.pipeline import render
from tests.imaging.conftest import Save


def _dataset(number: int, text: str, record: int = 2) -> bytes:
    data = text.encode()
    return bytes([0x1C, record, number]) + len(data).to_bytes(2, "big") + data


RECORDS = (
    _dataset(90, "\x1b%G", 1) + _dataset(105, "Überschrift") + _dataset(25, "eins") + _dataset(25, "zwei")
)
_NAMES: dict[str, Literal["little", "big"]] = {"<": "little", ">": "big"}
CAPTION = Caption(headline="Überschrift", keywords=("eins", "zwei"))


def _resource(records: bytes) -> bytes:
    other = b"8BIM\x04\x0a\0\0\0\0\0\x01\x01\0"  # the copyright flag, one byte and one to make it even
    return other + b"8BIM\x04\x04\0\0" + len(records).to_bytes(4, "big") + records + bytes(len(records) % 2)


def _reversed(data: bytes) -> bytes:
    return b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4))


def _tiff(path: Path, order: str, number: int, kind: int, value: bytes) -> Path:
    """Write a TIFF with the value in a tag of the type."""
    count = len(value) // (4 if kind == 4 else 1)
    picture = np.zeros((9, 9, 3), np.uint8)
    if kind == 4:  # given as numbers, which are then written in the file's order
        numbers = [int.from_bytes(value[at : at + 4], _NAMES[order]) for at in range(0, len(value), 4)]
        tags: list[Any] = [(number, kind, count, numbers, False)]
    else:
        tags = [(number, kind, count, value, False)]
    tifffile.imwrite(path, picture, byteorder=order, photometric="rgb", extratags=tags)  # pyright: ignore
    assert value in path.read_bytes()
    return path


@pytest.mark.parametrize(
    ("order", "kind", "swapped"), [*product("<>", (1, 4, 7), (False,)), ("<", 4, True), (">", 4, True)]
)
def test_iptc_of_a_tiff_is_read_and_copied(order: str, kind: int, swapped: bool, tmp_path: Path) -> None:
    value = RECORDS + bytes(-len(RECORDS) % 4)
    source = _tiff(tmp_path / "in.tif", order, 33_723, kind, _reversed(value) if swapped else value)
    assert describe(source, Limits()).iptc == CAPTION
    for name in ("jpeg", "png", "tiff"):
        render(source, tmp_path / "result", [Metadata(mode="keep"), Convert(format=name)], Limits())
        assert name == "png" or RECORDS in (tmp_path / "result").read_bytes()
        assert describe(tmp_path / "result", Limits()).iptc == CAPTION
    with Image.open(tmp_path / "result") as image:
        assert cast(Any, image).tag_v2.tagtype[33_723] == 4


def test_iptc_among_photoshops_resources_is_read(save: Save, tmp_path: Path) -> None:
    source = _tiff(tmp_path / "in.tif", "<", 34_377, 7, _resource(RECORDS))
    assert describe(source, Limits()).iptc == CAPTION
    raw = _resource(RECORDS)
    info = PngImagePlugin.PngInfo()
    info.add_text("Raw profile type iptc", f"\niptc\n{len(raw):8}\n{raw.hex()}\n")
    assert describe(save(Image.new("RGB", (9, 9)), "in.png", pnginfo=info), Limits()).iptc == CAPTION


def test_the_place_is_removed_and_nothing_else(tmp_path: Path) -> None:
    numbers = (26, 27, 90, 92, 95, 100, 101)
    records = b"".join(_dataset(number, "SECRET") + _dataset(25, f"word {number}") for number in numbers)
    source = _tiff(tmp_path / "in.tif", "<", 33_723, 7, RECORDS + records)
    target = tmp_path / "result"
    render(source, target, [Metadata(mode="strip_location"), Convert(format="jpeg")], Limits())
    assert b"SECRET" not in target.read_bytes()
    caption = describe(target, Limits()).iptc
    assert caption == Caption(
        headline="Überschrift", keywords=("eins", "zwei", *(f"word {number}" for number in numbers))
    )
