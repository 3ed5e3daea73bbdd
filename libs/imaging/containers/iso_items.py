"""The items of AVIF and HEIC: pictures, tiles and metadata (ISO/IEC 14496-12, 8.11, and 23008-12, 9.3)."""

import struct
from collections.abc import Iterator

from msgspec import Struct

from libs.imaging.containers.iso_boxes import Box, boxes
from libs.imaging.containers.shape import Buffer

_MAX_ENTRIES = 10_000


class Extent(Struct, frozen=True):
    """A part of an item's bytes."""

    start: int  # from the start of the file
    length: int  # 0: to the end of the file


class Entry(Struct, frozen=True):
    """What the file says about an item besides its place."""

    item: int
    type_at: int  # offset of its type in the file
    end: int


class Reference(Struct, frozen=True):
    """An item refers to others: a tile's owner to its tiles, metadata to what it describes."""

    kind: bytes
    source: int
    targets: tuple[int, ...]
    kind_at: int  # offset of the kind in the file


class Items(Struct, frozen=True, kw_only=True):
    """What the `meta` box of a file says about its items."""

    primary: int
    types: dict[int, bytes]
    mimes: dict[int, bytes]  # of the items of type `mime`
    properties: dict[int, list[Box]]  # in their order, transformations included
    extents: dict[int, list[Extent]]  # of the items that lie in this file
    references: list[Reference]


def find_meta(data: Buffer) -> Box | None:
    """Return the `meta` box at the top level.

    Raises:
        struct.error: The length of a box is cut off.
    """
    return next((box for box in boxes(data, 0, len(data)) if box.name == b"meta"), None)


def read_items(data: Buffer, meta: Box) -> Items:
    """Read the items of a file.

    Raises:
        struct.error, LookupError: The box is cut off, damaged, or has no primary item.
    """
    within = {box.name: box for box in boxes(data, meta.start + 4, meta.end)}
    pitm, iprp = within[b"pitm"], within[b"iprp"]
    inside = {box.name: box for box in boxes(data, iprp.start, iprp.end)}
    properties = list(boxes(data, inside[b"ipco"].start, inside[b"ipco"].end))
    idat = within[b"idat"].start if b"idat" in within else 0
    entries = list(item_entries(data, within[b"iinf"]))
    return Items(
        primary=struct.unpack_from(">I" if data[pitm.start] else ">H", data, pitm.start + 4)[0],
        types={entry.item: data[entry.type_at : entry.type_at + 4] for entry in entries},
        mimes={entry.item: _mime(data, entry) for entry in entries},
        properties={
            item: [properties[index - 1] for index in indices if 0 < index <= len(properties)]
            for item, indices in _associations(data, inside[b"ipma"])
        },
        extents=dict(item_extents(data, within[b"iloc"], idat)),
        references=list(_references(data, within[b"iref"])) if b"iref" in within else [],
    )


def read_item(data: Buffer, items: Items, item: int, limit: int) -> bytes:
    """Return the first `limit` bytes of an item; nothing if it is not in this file."""
    content = b""
    for extent in items.extents.get(item, ()):
        end = extent.start + (extent.length or limit)
        content += data[extent.start : min(end, extent.start + limit - len(content))]
        if len(content) >= limit:
            break
    return content


def item_entries(data: Buffer, iinf: Box) -> Iterator[Entry]:
    """Yield the entry of each item."""
    for box in boxes(data, iinf.start + (6 if data[iinf.start] == 0 else 8), iinf.end):
        version = data[box.start]
        if box.name == b"infe" and version >= 2:
            number, type_at = (">H", box.start + 8) if version == 2 else (">I", box.start + 10)
            yield Entry(struct.unpack_from(number, data, box.start + 4)[0], type_at, box.end)


def _mime(data: Buffer, entry: Entry) -> bytes:
    """Return the MIME type of an item of type `mime`, with what follows; nothing for other types."""
    kind, content = data[entry.type_at : entry.type_at + 4], data[entry.type_at + 4 : entry.end]
    return content.partition(b"\0")[2] if kind == b"mime" else b""


def _references(data: Buffer, iref: Box) -> Iterator[Reference]:
    number, width = (">I", 4) if data[iref.start] else (">H", 2)
    for box in boxes(data, iref.start + 4, iref.end):
        (source,) = struct.unpack_from(number, data, box.start)
        (count,) = struct.unpack_from(">H", data, box.start + width)
        targets = struct.unpack_from(f">{count}{number[1]}", data, box.start + width + 2)
        yield Reference(box.name, source, targets, box.start - 4)


def _associations(data: Buffer, ipma: Box) -> Iterator[tuple[int, list[int]]]:
    """Yield the numbers of the properties of each item, counted from 1."""
    version, wide = data[ipma.start], data[ipma.start + 3] & 1
    (entries,) = struct.unpack_from(">I", data, ipma.start + 4)
    at = ipma.start + 8
    for _ in range(min(entries, _MAX_ENTRIES)):
        item = struct.unpack_from(">I" if version else ">H", data, at)[0]
        at += 4 if version else 2
        count = data[at]
        at += 1
        indices = struct.unpack_from(f">{count}{'H' if wide else 'B'}", data, at)
        at += count * (2 if wide else 1)
        yield item, [index & (0x7FFF if wide else 0x7F) for index in indices]


def item_extents(data: Buffer, iloc: Box, idat: int) -> Iterator[tuple[int, list[Extent]]]:
    """Yield where each item lies, unless that is in another file or item."""
    version = data[iloc.start]
    sizes = struct.unpack_from(">H", data, iloc.start + 4)[0]
    offset_bytes, length_bytes, base_bytes, index_bytes = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    at = iloc.start + 6
    wide = 4 if version == 2 else 2

    def read(length: int) -> int:
        nonlocal at
        at += length
        if at > iloc.end:
            raise struct.error
        return int.from_bytes(data[at - length : at], "big")

    for _ in range(min(read(wide), _MAX_ENTRIES)):
        item = read(wide)
        method = read(2) & 15 if version else 0  # 0: in the file, 1: in the `idat` box
        read(2)
        base = read(base_bytes) + (idat if method == 1 else 0)
        extents: list[Extent] = []
        for _ in range(read(2)):
            read(index_bytes if version else 0)
            extents.append(Extent(base + read(offset_bytes), read(length_bytes)))
        if method <= 1:
            yield item, extents
