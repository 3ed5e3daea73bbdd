"""JPEG: marker segments and scans (ITU-T T.81, annex B)."""

import re
import struct
from collections.abc import Iterator

from libs.imaging.containers.shape import Buffer, Shape
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


def measure(data: Buffer, max_scans: int) -> Shape:
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


def lacks_end(data: Buffer) -> bool:
    """Return whether there is no marker of the end after the first scan; data may follow that marker."""
    return data.rfind(b"\xff\xd9") < _first_scan(data)


def has_all_scans(data: Buffer) -> bool:
    """Return whether the scans give every bit of every coefficient (T.81, annex G).

    The last scan may still be cut.

    Raises:
        ImageTruncated: A header is cut.
    """
    try:
        return not any(_missing_bits(data).values())
    except (struct.error, IndexError) as error:
        raise ImageTruncated from error


def _missing_bits(data: Buffer) -> dict[tuple[int, int], int]:
    """Return how many low bits no scan gives, by component and coefficient."""
    progressive, components = False, set[int]()
    missing: dict[tuple[int, int], int] = {}
    for marker, at in _segments(data):
        if marker in _FRAME_HEADERS:
            progressive = marker in _PROGRESSIVE
            components = {data[at + 8 + 3 * number] for number in range(data[at + 7])}
            coefficients = 64 if progressive else 1
            missing = {(component, k): 13 for component in components for k in range(coefficients)}
        elif marker == SOS:
            count = data[at + 2]
            first, last, bits = struct.unpack_from("BBB", data, at + 3 + 2 * count)
            selected = [data[at + 3 + 2 * number] for number in range(count)]
            span = range(first, last + 1) if progressive else range(1)
            missing |= {(component, k): bits & 0x0F for component in selected for k in span}
    return missing


def _first_scan(data: Buffer) -> int:
    return next((at for marker, at in _segments(data) if marker == SOS), len(data))


def segments_with_data(data: Buffer) -> Iterator[tuple[int, int, int]]:
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


def _segments(data: Buffer) -> Iterator[tuple[int, int]]:
    """Yield the marker of each segment and the offset of its length field; skip the coded data of scans."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None or found[1][0] == _EOI:
            return
        yield found[1][0], found.end()
        at = found.end() + _length(data, found.end())
    raise UnreadableImage("it has too many segments")


def _length(data: Buffer, at: int) -> int:
    return int(struct.unpack_from(">H", data, at)[0])
