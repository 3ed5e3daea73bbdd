"""TIFF and BigTIFF: the chain of image file directories, one for each page (TIFF 6.0)."""

import struct
from mmap import mmap

from libs.imaging.errors import ImageTruncated


def count_pages(data: mmap, max_pages: int) -> int:
    """Count the directories, up to one more than `max_pages`; a loop in the chain ends it.

    Raises:
        ImageTruncated: The first directory lies beyond the end of the file.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = 43 in data[2:4]
    count, offset, entry_bytes = (order + "Q", order + "Q", 20) if big else (order + "H", order + "I", 12)
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(offset, data, 8 if big else 4)
        while at and at not in seen and len(seen) <= max_pages:
            (entries,) = struct.unpack_from(count, data, at)
            seen.add(at)
            (at,) = struct.unpack_from(offset, data, at + struct.calcsize(count) + entries * entry_bytes)
    except struct.error as error:
        if not seen:
            raise ImageTruncated from error
    return len(seen)
