"""ZIP files of stored images, written while they are read."""

from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from pathlib import PurePath
from typing import cast

from zipstream import ZIP_STORED, ZipStream  # pyright: ignore[reportMissingTypeStubs]

from libs.storage.database.tables import Image
from libs.storage.objects import ObjectNotFound, ObjectStore

FORBIDDEN = frozenset('/\\:*?"<>|')  # in the names of files, by one system or another


async def archive(files: AsyncIterable[tuple[str, str]], objects: ObjectStore) -> AsyncIterator[bytes]:
    """Yield a ZIP file, holding at most one chunk of its content in memory.

    Args:
        files: The name and the object key of each file. One that does not exist is left out.
        objects: Where the files are.
    """
    zipped = ZipStream(compress_type=ZIP_STORED)  # images are compressed already
    async for name, key in files:
        try:
            async with objects.read(key) as chunks:
                async for piece in _entry(zipped, name, chunks):
                    yield piece
        except ObjectNotFound:
            continue  # it has just expired
    for piece in cast("Iterator[bytes]", zipped.footer()):
        yield piece


def named(found: Sequence[Image]) -> list[tuple[str, str]]:
    """Return a name and the object key of each image; of names that are equal, later ones get numbers.

    Capitals and small letters count as equal, as they do on many computers.
    """
    taken: set[str] = set()
    files: list[tuple[str, str]] = []
    for image in found:
        path = PurePath("".join("-" if c in FORBIDDEN else c for c in image.filename).lstrip("."))
        name, number = path.name or "image", 1
        while name.casefold() in taken:
            number += 1
            name = f"{path.stem} ({number}){path.suffix}"
        taken.add(name.casefold())
        files.append((name, image.object_key))
    return files


async def _entry(zipped: ZipStream, name: str, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield one file: its header, then a piece for each chunk, since entries are not compressed."""
    pending: deque[bytes] = deque()

    def feed() -> Iterator[bytes]:
        while pending:
            yield pending.popleft()

    zipped.add(feed(), name)
    pieces = cast("Iterator[bytes]", zipped.file())
    yield next(pieces)
    async for chunk in chunks:
        pending.append(chunk)
        yield next(pieces)
    for piece in pieces:
        yield piece
