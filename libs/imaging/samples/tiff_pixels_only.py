"""A TIFF shown without its metadata, so that damaged metadata cannot keep Pillow from reading the pixels.

Pillow stops reading a directory at the first tag whose value is cut off, and loses the tags after it.
"""

import io
import struct
from bisect import bisect_left
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path

from libs.imaging.containers.tiff import directories
from libs.imaging.metadata.tag_numbers import COLOUR_TAGS, ORIENTATION, PIXEL_TAGS

MAX_TAGS = 50_000
"""Limit of tags that are looked at; real files have a few dozen for each page."""

_SHOWN = PIXEL_TAGS | COLOUR_TAGS | {ORIENTATION}


class TiffPixelsOnly(io.BufferedReader):
    """A TIFF in which all tags that do not concern pixels have the type 0, which Pillow does not read."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            self._hidden = sorted(set(_kinds_to_hide(data)))
        super().__init__(io.FileIO(path))

    def read(self, size: int | None = -1, /) -> bytes:
        start = self.tell()
        data = super().read(size)
        first, last = (bisect_left(self._hidden, at) for at in (start - 1, start + len(data)))
        if first == last:
            return data
        changed = bytearray(data)
        for at in self._hidden[first:last]:
            for place in (at - start, at - start + 1):
                if 0 <= place < len(data):
                    changed[place] = 0
        return bytes(changed)


def _kinds_to_hide(data: mmap) -> Iterator[int]:
    """Yield the offset of the type of each tag to hide."""
    order = "<" if data[:2] == b"II" else ">"
    count, entry_bytes = (order + "Q", 20) if 43 in data[2:4] else (order + "H", 12)
    remaining = MAX_TAGS
    for at in directories(data):
        (entries,) = struct.unpack_from(count, data, at)
        first = at + struct.calcsize(count)
        entries = min(entries, remaining, (len(data) - first) // entry_bytes)
        remaining -= entries
        for number in range(entries):
            entry = first + number * entry_bytes
            if struct.unpack_from(order + "H", data, entry)[0] not in _SHOWN:
                yield entry + 2
        if not remaining:
            return
