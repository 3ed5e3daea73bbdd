"""AVIF and HEIC: the code points of the picture's colours (ISO/IEC 14496-12, 12.1.5)."""

import struct
from mmap import mmap

from libs.imaging.colour.spaces import CodePoints
from libs.imaging.containers.iso_boxes import Box, boxes
from libs.imaging.containers.iso_items import read_items

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
    items = read_items(data, meta)
    for box in items.properties.get(items.primary, ()):
        if box.name == b"colr" and data[box.start : box.start + 4] == _NCLX:
            return _code_points(data, box.start)
    return None


def _code_points(data: mmap, at: int) -> CodePoints:
    """Read a colour box from its type on; a decoder has applied its matrix and range already."""
    primaries, transfer, matrix = struct.unpack_from(">HHH", data, at + 4)
    return CodePoints(primaries, transfer, matrix, full_range=True)
