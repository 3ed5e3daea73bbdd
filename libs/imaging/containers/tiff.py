"""TIFF and BigTIFF: image file directories (TIFF 6.0, and the BigTIFF design of libtiff)."""

import struct
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from libs.imaging.containers.shape import Buffer
from libs.imaging.errors import ImageTruncated

_COMPRESSION, _PHOTOMETRIC, _SUB_DIRECTORIES, _DNG_VERSION = 259, 262, 330, 50706
_RAW_PHOTOMETRICS = {32803, 34892}  # colour filter array, linear raw (DNG specification)
_RAW_COMPRESSIONS = {32767: "Sony ARW", 32770: "Samsung SRW", 34713: "Nikon NEF", 65535: "Pentax PEF"}
_MAX_ENTRIES = 4096  # that are read of a directory; a real one has a few dozen
_MAX_SUB_DIRECTORIES = 16
_MAX_CHAINED = 8  # directories that are searched for raw data
_VALUE_FORMATS = {3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # SHORT, LONG, IFD, LONG8, IFD8


class _Layout(NamedTuple):
    """How numbers are stored: in either byte order, and longer in BigTIFF."""

    order: str
    big: bool

    @property
    def offset(self) -> str:
        return self.order + ("Q" if self.big else "I")

    @property
    def entry_count(self) -> str:
        return self.order + ("Q" if self.big else "H")

    @property
    def entry_bytes(self) -> int:
        return 20 if self.big else 12


def count_pages(data: Buffer, max_pages: int) -> int:
    """Count the directories, up to one more than `max_pages`; a loop in the chain ends it.

    Raises:
        ImageTruncated: The first directory lies beyond the end of the file.
    """
    pages = sum(1 for _ in islice(directories(data), max_pages + 1))
    if not pages:
        raise ImageTruncated
    return pages


def camera_raw_name(data: Buffer) -> str | None:
    """Return the name of the camera's format if the file holds sensor data; None for an ordinary TIFF.

    Such files begin with a small preview, which Pillow takes for the picture.
    """
    if data[8:10] == b"CR":
        return "camera RAW (Canon CR2)"
    layout = _layout(data)
    for at in islice(directories(data), _MAX_CHAINED):
        tags = _tags(data, at, layout)
        if _DNG_VERSION in tags:
            return "camera RAW (DNG)"
        sub_directories = tags.get(_SUB_DIRECTORIES, ())[:_MAX_SUB_DIRECTORIES]
        for found in (tags, *(_tags(data, offset, layout) for offset in sub_directories)):
            compression, photometric = (found.get(tag, (0,))[0] for tag in (_COMPRESSION, _PHOTOMETRIC))
            if compression in _RAW_COMPRESSIONS:
                return f"camera RAW ({_RAW_COMPRESSIONS[compression]})"
            if photometric in _RAW_PHOTOMETRICS:
                return "camera RAW"
    return None


def _layout(data: Buffer) -> _Layout:
    return _Layout("<" if data[:2] == b"II" else ">", big=43 in data[2:4])


def page_offset(data: Buffer, page: int) -> int:
    """Return the offset of a page's directory; that of the last page if there are fewer."""
    at = 0
    for at in islice(directories(data), page + 1):  # noqa: B007 - the last one is used
        pass
    return at


def directories(data: Buffer) -> Iterator[int]:
    """Yield the offset of each page's directory, as far as they lie in the file; a loop ends the chain."""
    layout = _layout(data)
    seen: set[int] = set()
    try:
        (at,) = _unpack(layout.offset, data, 8 if layout.big else 4)
        while at and at not in seen:
            (entries,) = _unpack(layout.entry_count, data, at)
            seen.add(at)
            yield at
            after = at + struct.calcsize(layout.entry_count) + entries * layout.entry_bytes
            (at,) = _unpack(layout.offset, data, after)
    except struct.error:
        return


def _tags(data: Buffer, at: int, layout: _Layout) -> dict[int, tuple[int, ...]]:
    """Return the first values of the tags that hold whole numbers; () for other tags."""
    tags: dict[int, tuple[int, ...]] = {}
    try:
        (entries,) = _unpack(layout.entry_count, data, at)
        at += struct.calcsize(layout.entry_count)
        for _ in range(min(entries, _MAX_ENTRIES)):
            tag, kind = _unpack(layout.order + "HH", data, at)
            (count,) = _unpack(layout.offset, data, at + 4)
            tags[tag] = ()
            if kind in _VALUE_FORMATS:
                tags[tag] = _values(data, at, _VALUE_FORMATS[kind], count, layout)
            at += layout.entry_bytes
    except struct.error:
        pass
    return {tag: values for tag, values in tags.items() if values or tag == _DNG_VERSION}


def _values(data: Buffer, entry_at: int, kind: str, count: int, layout: _Layout) -> tuple[int, ...]:
    form = f"{layout.order}{min(count, _MAX_SUB_DIRECTORIES)}{kind}"
    value_at = entry_at + (12 if layout.big else 8)
    if count * struct.calcsize(layout.order + kind) > struct.calcsize(layout.offset):
        (value_at,) = _unpack(layout.offset, data, value_at)
    return _unpack(form, data, value_at)


def _unpack(form: str, data: Buffer, at: int) -> tuple[int, ...]:
    """Unpack numbers; an offset of any size is allowed, also one that no file reaches.

    Raises:
        struct.error: The file ends before.
    """
    if at > len(data):
        raise struct.error("beyond the end of the file")
    return struct.unpack_from(form, data, at)
