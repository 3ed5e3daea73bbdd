"""Build HEIC files around the coded pictures in `heic/`, whose maker is `heic/make_samples.py`."""

import struct
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from libs.imaging.containers.iso_items import find_meta, read_items

FOLDER = Path(__file__).parent / "heic"
WIDTH, HEIGHT = 128, 64  # of all of them

MIRRORED_DOWN, MIRRORED_ACROSS = b"\0", b"\1"  # `imir`: top and bottom, or left and right, change places


class Coded(Struct, frozen=True):
    """A picture as a decoder of HEVC gets it."""

    configuration: bytes  # the contents of the box hvcC
    data: bytes


class Item(Struct, frozen=True, kw_only=True):
    """One item of a file; its properties are whole boxes, in their order."""

    type: bytes = b"hvc1"
    data: bytes
    properties: Sequence[bytes] = ()
    hidden: bool = False
    references: Sequence[tuple[bytes, int]] = ()  # kind, and the number of the other item, from 1
    mime: bytes = b""


def coded(name: str) -> Coded:
    """Return the primary picture of a sample."""
    data = (FOLDER / name).read_bytes()
    meta = find_meta(data)
    assert meta
    items = read_items(data, meta)
    box = next(box for box in items.properties[items.primary] if box.name == b"hvcC")
    (extent,) = items.extents[items.primary]
    return Coded(data[box.start : box.end], data[extent.start : extent.start + extent.length])


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def full_box(name: bytes, content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(name, struct.pack(">I", version << 24 | flags) + content)


def ispe(width: int, height: int) -> bytes:
    return full_box(b"ispe", struct.pack(">II", width, height))


def nclx(primaries: int, transfer: int, matrix: int = 6) -> bytes:
    return box(b"colr", b"nclx" + struct.pack(">HHHB", primaries, transfer, matrix, 0x80))


def picture(
    name: str = "rgb.heic",
    *properties: bytes,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    colours: bytes | None = None,
    hidden: bool = False,
    references: Sequence[tuple[bytes, int]] = (),
) -> Item:
    """Return the item of a sample's picture with further properties."""
    coding = coded(name)
    colour = nclx(1, 13) if colours is None else colours
    shape = [box(b"hvcC", coding.configuration), colour, ispe(*size)]
    return Item(data=coding.data, properties=[*shape, *properties], hidden=hidden, references=references)


def grid(
    columns: int,
    rows: int,
    size: tuple[int, int],
    tiles: Sequence[int],
    *properties: bytes,
    announced: tuple[int, int] | None = None,
) -> Item:
    """Return a picture of tiles; `announced` is the size in its property if that is another."""
    head = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, *size)
    return Item(
        type=b"grid",
        data=head,
        properties=[ispe(*(announced or size)), *properties],
        references=[(b"dimg", tile) for tile in tiles],
    )


def exif(block: bytes, picture: int = 1) -> Item:
    return Item(type=b"Exif", data=bytes(4) + block, references=[(b"cdsc", picture)])


def xmp(packet: bytes, picture: int = 1) -> Item:
    return Item(type=b"mime", data=packet, mime=b"application/rdf+xml", references=[(b"cdsc", picture)])


def heic(*items: Item, primary: int = 1, brand: bytes = b"heic") -> bytes:
    """Return a file with these items, which have the numbers 1, 2, ..."""
    ftyp = box(b"ftyp", brand + bytes(4) + b"mif1" + brand)
    meta = _meta(items, primary, 0)
    meta = _meta(items, primary, len(ftyp) + len(meta) + 8)
    return ftyp + meta + box(b"mdat", b"".join(item.data for item in items))


def _meta(items: Sequence[Item], primary: int, start: int) -> bytes:
    return full_box(
        b"meta",
        full_box(b"hdlr", bytes(4) + b"pict" + bytes(13))
        + full_box(b"pitm", struct.pack(">H", primary))
        + _locations(items, start)
        + full_box(
            b"iinf",
            struct.pack(">H", len(items)) + b"".join(_entry(n, item) for n, item in enumerate(items, 1)),
        )
        + _properties(items)
        + full_box(b"iref", b"".join(_references(n, item) for n, item in enumerate(items, 1))),
    )


def _locations(items: Sequence[Item], start: int) -> bytes:
    entries: list[bytes] = []
    for number, item in enumerate(items, 1):
        entries.append(struct.pack(">HHHII", number, 0, 1, start, len(item.data)))
        start += len(item.data)
    return full_box(b"iloc", struct.pack(">HH", 0x4400, len(items)) + b"".join(entries))


def _entry(number: int, item: Item) -> bytes:
    content = struct.pack(">HH", number, 0) + item.type + b"\0" + (item.mime + b"\0" if item.mime else b"")
    return full_box(b"infe", content, 2, int(item.hidden))


def _properties(items: Sequence[Item]) -> bytes:
    all_properties = [part for item in items for part in item.properties]
    entries: list[bytes] = []
    index = 0
    for number, item in enumerate(items, 1):
        count = len(item.properties)
        if count:
            indices = range(index + 1, index + 1 + count)
            entries.append(struct.pack(f">HB{count}B", number, count, *(0x80 | each for each in indices)))
        index += count
    ipma = full_box(b"ipma", struct.pack(">I", len(entries)) + b"".join(entries))
    return box(b"iprp", box(b"ipco", b"".join(all_properties)) + ipma)


def _references(number: int, item: Item) -> bytes:
    """Write one box for each kind, as the format demands."""
    kinds = dict.fromkeys(kind for kind, _ in item.references)
    written = b""
    for kind in kinds:
        targets = [target for of_kind, target in item.references if of_kind == kind]
        written += box(kind, struct.pack(f">HH{len(targets)}H", number, len(targets), *targets))
    return written
