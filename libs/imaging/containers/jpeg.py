"""JPEG: segments, and the scans that follow each other."""

import re
import struct
from collections.abc import Iterator
from mmap import mmap

from libs.imaging.containers.shape import Shape
from libs.imaging.errors import ImageTruncated, TooManyScans, UnreadableImage
from libs.imaging.limits import MAX_PROFILE_BYTES, check_metadata

MAX_SEGMENTS = 10_000
"""Segments of all kinds; real files have a few dozen."""

MAX_TOLD_BYTES = 8 * 1024**2
"""EXIF, XMP, comments and the like together; extended XMP comes in many segments."""

_PROFILES = 0xE2
_TOLD = {*range(0xE0, 0xF0), 0xFE} - {_PROFILES}
SCAN, _END = 0xDA, 0xD9
_FRAME_HEADS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")  # neither a stuffed byte nor a restart


def measure(data: mmap, max_scans: int) -> Shape:
    """Read the size, and count the scans of a file that has several.

    Raises:
        ImageTruncated: The file ends before its first scan.
        TooManyScans: There are more than `max_scans`.
        UnreadableImage: There are more segments than any real file has.
    """
    shape: Shape | None = None
    components = scans = profile_bytes = told_bytes = 0
    several = False
    try:
        for kind, at in _segments(data):
            if kind in _FRAME_HEADS:
                height, width, components = struct.unpack_from(">HHB", data, at + 3)
                shape = Shape(width, height)
                several = kind in _PROGRESSIVE
            elif kind == _PROFILES:
                profile_bytes += _length(data, at)
                check_metadata("colour profile", profile_bytes, MAX_PROFILE_BYTES)
            elif kind in _TOLD:
                told_bytes += _length(data, at)
                check_metadata("text", told_bytes, MAX_TOLD_BYTES)
            elif kind == SCAN:
                scans += 1
                several = several or data[at + 2] < components
                if scans > max_scans:
                    raise TooManyScans(max_scans)
                if not several:
                    break
    except (struct.error, IndexError) as error:
        raise ImageTruncated from error
    if shape is None or not scans:
        raise ImageTruncated
    return shape


def _length(data: mmap, at: int) -> int:
    return int(struct.unpack_from(">H", data, at)[0])


def pieces(data: mmap) -> Iterator[tuple[int, int, int]]:
    """Give each marker with its start and the end of all that belongs to it, coded data included."""
    before: tuple[int, int] | None = None
    for kind, at in _segments(data):
        start = at - 2
        if before:
            yield *before, start
        before = (kind, start)
    if before:
        end = data.find(b"\xff\xd9", before[1])
        yield *before, end if end >= 0 else len(data)


def _segments(data: mmap) -> Iterator[tuple[int, int]]:
    """Give each marker with the place of its length, skipping the coded data of scans."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None or found[1][0] == _END:
            return
        yield found[1][0], found.end()
        at = found.end() + _length(data, found.end())
    raise UnreadableImage("it has too many segments")
