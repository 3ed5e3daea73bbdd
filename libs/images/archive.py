"""ZIP files of stored images, written while they are read."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from pathlib import PurePath

from libs.runtime.zip_stream import Entry, zip_stream
from libs.storage.database.tables import Image
from libs.storage.objects import ObjectNotFound, ObjectStore

FORBIDDEN = frozenset('/\\:*?"<>|')  # in the names of files, by one system or another


def archive(files: AsyncIterable[tuple[str, str]], objects: ObjectStore) -> AsyncIterator[bytes]:
    """Return a ZIP file in pieces, with at most one chunk of its content in memory.

    Args:
        files: The name and the object key of each file. One that does not exist is left out.
        objects: Where the files are.
    """
    return zip_stream(_opened(files, objects))


async def _opened(files: AsyncIterable[tuple[str, str]], objects: ObjectStore) -> AsyncIterator[Entry]:
    async for name, key in files:
        try:
            async with objects.read(key) as chunks:
                yield name, chunks
        except ObjectNotFound:
            continue  # it has just expired


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
