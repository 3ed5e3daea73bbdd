"""JPEG: marker segments and scans (ITU-T T.81, annex B)."""

import re
import struct
from collections.abc import Iterator
from mmap import mmap

from libs.imaging.containers.shape import Shape
from libs.imaging.errors import ImageTruncated, TooManyScans, UnreadableImage
from libs.imaging.limits import MAX_PROFILE_BYTES, check_metadata

MAX_SEGMENTS = 10_000
"""Limit of segments of all kinds; real files have a few dozen."""

MAX_METADATA_BYTES = 8 * 1024**2
"""Limit of EXIF, XMP, comments and the like together; extended XMP takes many segments."""

SOS = 0xDA  # start of scan
_APP2 = 0xE2  # holds the colour profile
_EOI = 0xD9  # end of image
_METADATA = {*range(0xE0, 0xF0), 0xFE} - {_APP2}  # APPn and COM
_FRAME_HEADERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # SOFn
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")  # neither a stuffed byte nor a restart marker


def measure(data: mmap, max_scans: int) -> Shape:
    """Read the size, and count the scans of a progressive or non-interleaved file.

    Raises:
        ImageTruncated: The file ends before its first scan.
        TooManyScans: There are more than `max_scans`.
        TooMuchMetadata: The metadata or the colour profile is too large.
        UnreadableImage: There are more than `MAX_SEGMENTS` segments.
    """
    shape: Shape | None = None
    components = scans = profile_bytes = metadata_bytes = 0
    multiple_scans = False
    try:
        for marker, at in _segments(data):
            if marker in _FRAME_HEADERS:
                height, width, components = struct.unpack_from(">HHB", data, at + 3)
                shape = Shape(width, height)
                multiple_scans = marker in _PROGRESSIVE
            elif marker == _APP2:
                profile_bytes += _length(data, at)
                check_metadata("colour profile", profile_bytes, MAX_PROFILE_BYTES)
            elif marker in _METADATA:
                metadata_bytes += _length(data, at)
                check_metadata("text", metadata_bytes, MAX_METADATA_BYTES)
            elif marker == SOS:
                scans += 1
                multiple_scans = multiple_scans or data[at + 2] < components
                if scans > max_scans:
                    raise TooManyScans(max_scans)
                if not multiple_scans:
                    break
    except (struct.error, IndexError) as error:
        raise ImageTruncated from error
    if shape is None or not scans:
        raise ImageTruncated
    return shape


def segments_with_data(data: mmap) -> Iterator[tuple[int, int, int]]:
    """Yield the marker, start and end of each segment; the end includes a scan's coded data."""
    previous: tuple[int, int] | None = None
    for marker, at in _segments(data):
        start = at - 2
        if previous:
            yield *previous, start
        previous = (marker, start)
    if previous:
        end = data.find(b"\xff\xd9", previous[1])
        yield *previous, end if end >= 0 else len(data)


def _segments(data: mmap) -> Iterator[tuple[int, int]]:
    """Yield the marker of each segment and the offset of its length field; skip the coded data of scans."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None or found[1][0] == _EOI:
            return
        yield found[1][0], found.end()
        at = found.end() + _length(data, found.end())
    raise UnreadableImage("it has too many segments")


def _length(data: mmap, at: int) -> int:
    return int(struct.unpack_from(">H", data, at)[0])
