"""AVIF: the item that holds the EXIF block (ISO/IEC 14496-12, 8.11, and 23008-12, annex A)."""

import struct
from mmap import mmap
from typing import NamedTuple

from libs.imaging.containers.iso_boxes import Box, boxes
from libs.imaging.limits import MAX_TEXT_BYTES, check_metadata


class ExifItem(NamedTuple):
    """Where a file says that an item is EXIF, and the item's bytes."""

    type_at: int  # offset of the item's type, `Exif`
    payload: bytes  # an EXIF block, beginning with its byte order


def find_exif(data: mmap | bytes) -> ExifItem | None:
    """Return the first EXIF item; its payload is empty if it cannot be read.

    Raises:
        TooMuchMetadata: It is too large.
    """
    try:
        meta = next((box for box in boxes(data, 0, len(data)) if box.name == b"meta"), None)
        if meta is None:
            return None
        within = {box.name: box for box in boxes(data, meta.start + 4, meta.end)}
        found = _exif_item(data, within[b"iinf"]) if b"iinf" in within else None
    except struct.error:
        return None
    if found is None:
        return None
    number, type_at = found
    try:
        idat = within[b"idat"].start if b"idat" in within else 0
        item = _item_bytes(data, within[b"iloc"], number, idat)
        (skipped,) = struct.unpack_from(">I", item)
        return ExifItem(type_at, item[4 + skipped :])
    except (struct.error, KeyError):
        return ExifItem(type_at, b"")


def _exif_item(data: mmap | bytes, iinf: Box) -> tuple[int, int] | None:
    """Return the number of the first EXIF item, and the offset of its type."""
    entries = iinf.start + (6 if data[iinf.start] == 0 else 8)
    for box in boxes(data, entries, iinf.end):
        version = data[box.start]
        if box.name != b"infe" or version < 2:
            continue
        number, type_at = (">H", box.start + 8) if version == 2 else (">I", box.start + 10)
        if data[type_at : type_at + 4] == b"Exif":
            return struct.unpack_from(number, data, box.start + 4)[0], type_at
    return None


def _item_bytes(data: mmap | bytes, iloc: Box, number: int, idat: int) -> bytes:
    """Return the bytes of an item by the item location box.

    Raises:
        struct.error: The item is not there, or not in this file.
        TooMuchMetadata: It is too large.
    """
    version = data[iloc.start]
    sizes = struct.unpack_from(">H", data, iloc.start + 4)[0]
    offset_bytes, length_bytes, base_bytes, index_bytes = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    if not length_bytes:
        raise struct.error
    at = iloc.start + 6
    wide = 4 if version == 2 else 2

    def read(length: int) -> int:
        nonlocal at
        at += length
        if at > iloc.end:
            raise struct.error
        return int.from_bytes(data[at - length : at], "big")

    for _ in range(read(wide)):
        item = read(wide)
        method = read(2) & 15 if version else 0  # 0: in the file, 1: in the `idat` box
        read(2)
        base = read(base_bytes) + (idat if method == 1 else 0)
        result = b""
        for _ in range(read(2)):
            read(index_bytes if version else 0)
            start, length = base + read(offset_bytes), read(length_bytes)
            if item == number and start <= len(data):
                result += data[start : start + min(length, MAX_TEXT_BYTES)]
                check_metadata("text", len(result))
        if item == number and method <= 1:
            return result
    raise struct.error
