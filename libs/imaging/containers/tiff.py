"""TIFF and BigTIFF: the chain of image file directories, one for each page (TIFF 6.0)."""

import struct
from collections.abc import Iterator
from itertools import islice
from mmap import mmap

from libs.imaging.errors import ImageTruncated


def count_pages(data: mmap, max_pages: int) -> int:
    """Count the directories, up to one more than `max_pages`; a loop in the chain ends it.

    Raises:
        ImageTruncated: The first directory lies beyond the end of the file.
    """
    pages = sum(1 for _ in islice(directories(data), max_pages + 1))
    if not pages:
        raise ImageTruncated
    return pages


def page_offset(data: mmap, page: int) -> int:
    """Return the offset of a page's directory; that of the last page if there are fewer."""
    at = 0
    for at in islice(directories(data), page + 1):  # noqa: B007 - the last one is used
        pass
    return at


def directories(data: mmap) -> Iterator[int]:
    """Yield the offset of each page's directory, as far as they lie in the file; a loop ends the chain."""
    order = "<" if data[:2] == b"II" else ">"
    big = 43 in data[2:4]
    count, offset, entry_bytes = (order + "Q", order + "Q", 20) if big else (order + "H", order + "I", 12)
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(offset, data, 8 if big else 4)
        while at and at not in seen and at < len(data):
            (entries,) = struct.unpack_from(count, data, at)
            seen.add(at)
            yield at
            after = at + struct.calcsize(count) + entries * entry_bytes
            at = struct.unpack_from(offset, data, after)[0] if after < len(data) else 0
    except struct.error:
        return
