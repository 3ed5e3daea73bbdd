"""ZIP files that are written while their content is read."""

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import TypeAlias, cast

from zipstream import ZIP_STORED, ZipStream  # pyright: ignore[reportMissingTypeStubs]

Entry: TypeAlias = tuple[str, AsyncIterable[bytes]]
"""The name and the content of a file."""


async def zip_stream(entries: AsyncIterable[Entry]) -> AsyncIterator[bytes]:
    """Yield a ZIP file in pieces, with at most one chunk of its content in memory. Nothing is compressed."""
    zipped = ZipStream(compress_type=ZIP_STORED)  # images are compressed already
    async for name, content in entries:
        async for piece in _entry(zipped, name, content):
            yield piece
    for piece in cast("Iterator[bytes]", zipped.footer()):
        yield piece


async def _entry(zipped: ZipStream, name: str, content: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Yield one file: its header, then a piece for each chunk, since entries are not compressed."""
    pending: deque[bytes] = deque()

    def feed() -> Iterator[bytes]:
        while pending:
            yield pending.popleft()

    zipped.add(feed(), name)
    pieces = cast("Iterator[bytes]", zipped.file())
    yield next(pieces)
    async for chunk in content:
        pending.append(chunk)
        yield next(pieces)
    for piece in pieces:
        yield piece
