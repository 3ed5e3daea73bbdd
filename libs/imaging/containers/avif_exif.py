"""AVIF: the item that holds the EXIF block (ISO/IEC 14496-12, 8.11, and 23008-12, annex A)."""

import struct
from mmap import mmap
from typing import NamedTuple

from libs.imaging.containers.iso_boxes import Box, boxes
from libs.imaging.containers.iso_items import Entry, find_meta, item_entries, item_extents
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
        meta = find_meta(data)
        if meta is None:
            return None
        within = {box.name: box for box in boxes(data, meta.start + 4, meta.end)}
        found = _exif_item(data, within[b"iinf"]) if b"iinf" in within else None
    except struct.error:
        return None
    if found is None:
        return None
    try:
        idat = within[b"idat"].start if b"idat" in within else 0
        item = _item_bytes(data, within[b"iloc"], found.item, idat)
        (skipped,) = struct.unpack_from(">I", item)
        return ExifItem(found.type_at, item[4 + skipped :])
    except (struct.error, KeyError):
        return ExifItem(found.type_at, b"")


def _exif_item(data: mmap | bytes, iinf: Box) -> Entry | None:
    """Return the first EXIF item."""
    entries = item_entries(data, iinf)
    return next((entry for entry in entries if data[entry.type_at : entry.type_at + 4] == b"Exif"), None)


def _item_bytes(data: mmap | bytes, iloc: Box, number: int, idat: int) -> bytes:
    """Return the bytes of an item.

    Raises:
        struct.error: The item is not there, or not in this file.
        TooMuchMetadata: It is too large.
    """
    for item, extents in item_extents(data, iloc, idat):
        if item == number:
            result = b""
            for extent in extents:
                if extent.start <= len(data):
                    result += data[extent.start : extent.start + min(extent.length, MAX_TEXT_BYTES)]
                    check_metadata("text", len(result))
            return result
    raise struct.error
