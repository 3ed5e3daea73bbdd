"""Camera RAW is refused by name, also where it looks like a TIFF."""

import struct
from itertools import product
from pathlib import Path

import pytest
from PIL import Image

from libs.imaging.errors import FormatNotAccepted, ImagingError, UnreadableImage
from libs.imaging.header import read_header
from libs.imaging.limits import Limits
from libs.imaging.pipeline import render
from tests.imaging.conftest import Save

LIMITS = Limits()
PREVIEW: dict[int, int | bytes] = {256: 16, 257: 8, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 8, 279: 128}


class Tiff:
    """A TIFF or BigTIFF in either byte order, with one strip of pixels and any directories."""

    def __init__(self, order: str = "<", *, big: bool = False) -> None:
        self.order, self.big = order, big
        self.data = bytearray(
            (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
        )
        self.data += struct.pack(order + "HHQ", 8, 0, 0) if big else struct.pack(order + "I", 0)
        self.link = 8 if big else 4  # where the offset of the next directory in the chain goes
        self.pixels = self._append(bytes(range(128)))

    def _append(self, data: bytes) -> int:
        self.data += bytes(-len(self.data) % 8)
        self.data += data
        return len(self.data) - len(data)

    def directory(self, tags: dict[int, int | bytes], *, chained: bool = True) -> int:
        """Add a directory of LONG values and BYTE strings of at most four; return its offset."""
        form, count = self.order + ("Q" if self.big else "I"), self.order + ("Q" if self.big else "H")
        entries = b""
        for tag, value in sorted((tags | {273: self.pixels}).items()):
            kind, number = (1, len(value)) if isinstance(value, bytes) else (4, 1)
            raw = value if isinstance(value, bytes) else struct.pack(self.order + "I", value)
            entries += struct.pack(self.order + "HH", tag, kind) + struct.pack(form, number)
            entries += raw.ljust(8 if self.big else 4, b"\0")
        at = self._append(struct.pack(count, len(tags | {273: 0})) + entries + struct.pack(form, 0))
        if chained:
            struct.pack_into(form, self.data, self.link, at)
            self.link = len(self.data) - struct.calcsize(form)
        return at


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("big", [False, True])
def test_camera_raw_in_a_tiff_is_refused_by_name(order: str, big: bool, save: Save) -> None:
    plain = Tiff(order, big=big)
    plain.directory(PREVIEW | {254: 1})  # a reduced image alone is no camera RAW
    source = save(bytes(plain.data), "in.tif")
    if big and order == ">":
        with pytest.raises(UnreadableImage, match="BigTIFF in big-endian byte order is not supported"):
            read_header(source, LIMITS)
    else:
        assert read_header(source, LIMITS).width == 16
    raw_tags: list[tuple[str, dict[int, int | bytes]]] = [
        ("camera RAW", {262: 32803}),
        ("camera RAW", {262: 34892}),
        (r"camera RAW \(Nikon NEF\)", {259: 34713}),
        (r"camera RAW \(Sony ARW\)", {259: 32767}),
        (r"camera RAW \(Pentax PEF\)", {259: 65535}),
        (r"camera RAW \(DNG\)", {50706: b"\1\4\0\0"}),
    ]
    for name, tags in raw_tags:
        first = Tiff(order, big=big)
        first.directory(PREVIEW | tags)
        second = Tiff(order, big=big)
        second.directory(PREVIEW | {254: 1})
        second.directory(PREVIEW | tags)
        sub = Tiff(order, big=big)
        sub.directory(PREVIEW | {254: 1, 330: sub.directory(PREVIEW | tags, chained=False)})
        for file in (first, second) if 50706 in tags else (first, second, sub):
            with pytest.raises(FormatNotAccepted, match=f"^{name} files are not accepted"):
                read_header(save(bytes(file.data), "in.tif"), LIMITS)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("Canon CR2", b"II*\0\x10\0\0\0CR\2\0" + bytes(20)),
        ("Canon CR3", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom"),
        ("Olympus ORF", b"IIRO\x08\0\0\0"),
        ("Panasonic RW2", b"IIU\0\x18\0\0\0"),
        ("Fujifilm RAF", b"FUJIFILMCCD-RAW 0201"),
        ("Sigma X3F", b"FOVb\1\0\2\0"),
    ],
)
def test_other_camera_raw_is_refused_by_name(name: str, data: bytes, save: Save) -> None:
    with pytest.raises(FormatNotAccepted, match=rf"camera RAW \({name}\)"):
        read_header(save(data, "in.tif"), LIMITS)


@pytest.mark.parametrize("big", [False, True])
def test_offsets_and_counts_that_lead_nowhere_are_faults_of_the_file(
    big: bool, save: Save, tmp_path: Path
) -> None:
    tiff = Tiff(big=big)
    tiff.directory(PREVIEW | {330: tiff.directory(PREVIEW, chained=False)})
    whole = bytes(tiff.data)
    assert render(save(whole, "in.tif"), tmp_path / "out", [], LIMITS).width == 16
    form, largest = ("<Q", 2**64 - 1) if big else ("<I", 2**32 - 1)
    places = [tiff.link, 8 if big else 4, *range(200, len(whole) - 8, 6)]
    for place, value in product(places, (largest, largest // 2 + 1, largest // 2, len(whole) - 1)):
        damaged = bytearray(whole)
        struct.pack_into(form, damaged, place, value)
        try:
            render(save(bytes(damaged), "in.tif"), tmp_path / "out", [], LIMITS)
        except ImagingError:
            continue


def test_a_first_offset_beyond_2_to_the_63_is_a_truncated_file(save: Save) -> None:
    data = bytearray(save(Image.new("L", (8, 8)), "in.tif", big_tiff=True).read_bytes())
    struct.pack_into("<Q", data, 8, 2**63 + 5)
    with pytest.raises(ImagingError) as caught:
        read_header(save(bytes(data), "in.tif"), LIMITS)
    assert caught.value.code == "image_truncated"
