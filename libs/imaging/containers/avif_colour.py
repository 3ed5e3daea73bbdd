"""AVIF: the code points of the picture's colours (ISO/IEC 14496-12, 12.1.5, and 23008-12, 9.3)."""

import struct
from mmap import mmap

from libs.imaging.colour.spaces import CodePoints
from libs.imaging.containers.iso_boxes import Box, boxes

_MAX_ASSOCIATIONS = 10_000
_NCLX = b"nclx"


def read_code_points(data: mmap) -> CodePoints | None:
    """Return the code points of the primary picture, or of the first track of an animation.

    Other pictures in the file, such as a gain map, may have others.
    """
    try:
        top = {box.name: box for box in boxes(data, 0, len(data))}
        points = None
        if data[8:12] == b"avis" and b"moov" in top:
            points = _first(data, top[b"moov"])
        if points is None and b"meta" in top:
            points = _of_primary_item(data, top[b"meta"])
        return points
    except (struct.error, KeyError, IndexError):
        return None


def _first(data: mmap, box: Box) -> CodePoints | None:
    at = data.find(b"colr" + _NCLX, box.start, box.end)
    return _code_points(data, at + 4) if at >= 0 else None


def _of_primary_item(data: mmap, meta: Box) -> CodePoints | None:
    within = {box.name: box for box in boxes(data, meta.start + 4, meta.end)}
    primary = within[b"pitm"]
    number = struct.unpack_from(">I" if data[primary.start] else ">H", data, primary.start + 4)[0]
    iprp = {box.name: box for box in boxes(data, within[b"iprp"].start, within[b"iprp"].end)}
    properties = list(boxes(data, iprp[b"ipco"].start, iprp[b"ipco"].end))
    for index in _associated(data, iprp[b"ipma"], number):
        if 0 < index <= len(properties):
            box = properties[index - 1]
            if box.name == b"colr" and data[box.start : box.start + 4] == _NCLX:
                return _code_points(data, box.start)
    return None


def _associated(data: mmap, ipma: Box, number: int) -> list[int]:
    """Return the numbers of the properties of an item, counted from 1."""
    version, wide = data[ipma.start], data[ipma.start + 3] & 1
    (entries,) = struct.unpack_from(">I", data, ipma.start + 4)
    at = ipma.start + 8
    for _ in range(min(entries, _MAX_ASSOCIATIONS)):
        item = struct.unpack_from(">I" if version else ">H", data, at)[0]
        at += 4 if version else 2
        count = data[at]
        at += 1
        indices = struct.unpack_from(f">{count}{'H' if wide else 'B'}", data, at)
        at += count * (2 if wide else 1)
        if item == number:
            return [index & (0x7FFF if wide else 0x7F) for index in indices]
    return []


def _code_points(data: mmap, at: int) -> CodePoints:
    """Read a colour box from its type on; a decoder has applied its matrix and range already."""
    primaries, transfer, matrix = struct.unpack_from(">HHH", data, at + 4)
    return CodePoints(primaries, transfer, matrix, full_range=True)
