"""Byte ranges and entity tags of files (RFC 9110, sections 8.8 and 14)."""

import re
from typing import ClassVar

from msgspec import Struct

from libs.contracts.outcome import Outcome

ONE_RANGE = re.compile(r"^bytes=(\d{0,18})-(\d{0,18})$")  # no file size has more digits


class BadRange(Exception):
    """The requested range lies outside the file."""

    code = "range_not_satisfiable"
    outcome: ClassVar[Outcome] = "refused"

    def __init__(self, size: int) -> None:
        super().__init__(f"the file has {size} bytes")
        self.size = size


class Span(Struct, frozen=True):
    """Part of a file, in bytes."""

    start: int
    length: int

    def content_range(self, size: int) -> str:
        """Return the header `Content-Range` of this part of a file of `size` bytes."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{size}"


def has_version(if_none_match: str, etag: str) -> bool:
    """Return whether the header `If-None-Match` names the file's entity tag, so that 304 is the answer."""
    return if_none_match == "*" or etag in [
        tag.strip().removeprefix("W/") for tag in if_none_match.split(",")
    ]


def requested_span(range_header: str, if_range: str | None, *, size: int, etag: str) -> Span | None:
    """Return the requested range of a file; None for the whole file or several ranges.

    Raises:
        BadRange: The range lies outside the file.
    """
    match = ONE_RANGE.match(range_header)
    if match is None or (if_range is not None and if_range != etag) or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first:
        start, end = int(first), min(int(last) if last else size - 1, size - 1)
    else:
        start, end = max(0, size - int(last)), size - 1
    if first and last and int(first) > int(last):
        return None  # an invalid range is ignored
    if start > end:
        raise BadRange(size)
    return Span(start, end - start + 1)
