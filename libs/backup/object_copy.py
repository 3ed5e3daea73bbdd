"""Objects out of the store into a backup, and back."""

import asyncio
import mimetypes
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from libs.backends import Backends
from libs.backup.errors import BackupDamaged
from libs.backup.manifest import SavedObject, check, digests
from libs.images.artifact import Artifact
from libs.runtime.threads import MAINTENANCE
from libs.storage import accounts
from libs.storage.database.tables import Image
from libs.storage.object_keys import RENDITIONS, THUMBNAILS
from libs.storage.objects import Digest, ObjectNotFound

CACHES = (f"{THUMBNAILS}/", f"{RENDITIONS}/")  # what is rendered again when it is asked for
AT_ONCE = 16
UNKNOWN_TYPE = "application/octet-stream"

T = TypeVar("T")


async def save_objects(
    backends: Backends, folder: Path, *, with_files: bool
) -> AsyncIterator[SavedObject | None]:
    """Copy all objects but caches into the backup, or only read them; yield None for one that is gone."""
    batch: list[str] = []
    async for stored in backends.objects.scan(""):
        if not stored.key.startswith(CACHES):
            batch.append(stored.key)
        if len(batch) == AT_ONCE:
            for saved in await _save_batch(batch, backends, folder, with_files=with_files):
                yield saved
            batch.clear()
    for saved in await _save_batch(batch, backends, folder, with_files=with_files):
        yield saved


async def load_objects(objects: Iterable[SavedObject], backends: Backends, folder: Path) -> None:
    """Store the objects of a backup.

    Raises:
        BackupDamaged: A file has changed since it was checked.
    """
    for batch in _batches(objects):
        rows = await Image.objects().where(Image.object_key.is_in([saved.key for saved in batch]))
        by_key = {row.object_key: row for row in rows}
        await asyncio.gather(*(_load_one(saved, by_key.get(saved.key), backends, folder) for saved in batch))


async def check_objects(objects: Iterable[SavedObject], backends: Backends) -> None:
    """Compare the objects of the store with those that a backup lists.

    Raises:
        BackupDamaged: One is missing or differs.
    """
    for batch in _batches(objects):
        await asyncio.gather(*(_check_one(saved, backends) for saved in batch))


def check_files(objects: Iterable[SavedObject], folder: Path) -> None:
    """Compare the files of a backup with its list of objects.

    Raises:
        BackupDamaged: One is missing or differs.
    """
    for saved in objects:
        check(folder, saved)


async def _save_batch(
    keys: list[str], backends: Backends, folder: Path, *, with_files: bool
) -> list[SavedObject | None]:
    return await asyncio.gather(*(_save_one(key, backends, folder, with_files=with_files) for key in keys))


async def _save_one(key: str, backends: Backends, folder: Path, *, with_files: bool) -> SavedObject | None:
    try:
        async with backends.objects.as_file(key) as path:
            return await MAINTENANCE.run(_copy, key, path, folder if with_files else None)
    except ObjectNotFound:
        return None


def _copy(key: str, path: Path, folder: Path | None) -> SavedObject:
    incomplete = folder / "objects" / f"incomplete-{uuid4()}" if folder else None
    size_bytes, md5, sha256 = digests(path, incomplete)
    saved = SavedObject(key=key, size_bytes=size_bytes, md5=md5, sha256=sha256)
    if folder is not None and incomplete is not None:
        target = folder / saved.path
        target.parent.mkdir(exist_ok=True)
        incomplete.replace(target)
    return saved


async def _load_one(saved: SavedObject, image: Image | None, backends: Backends, folder: Path) -> None:
    path = backends.scratch / uuid4().hex
    _, _, sha256 = await MAINTENANCE.run(digests, folder / saved.path, path)
    if sha256 != saved.sha256:
        raise BackupDamaged(f"{saved.path} has other content than when it was written")
    guessed = mimetypes.guess_type(saved.key)[0] or UNKNOWN_TYPE
    labels: dict[str, str] = {}
    if image is not None:
        labels = Artifact(image=image, path=path, owner=await accounts.username_of(image.owner)).labels
    await backends.objects.put(
        saved.key,
        path,
        content_type=image.mime if image else guessed,
        metadata=labels,
        expected=Digest(saved.size_bytes, saved.md5),
    )


async def _check_one(saved: SavedObject, backends: Backends) -> None:
    try:
        async with backends.objects.as_file(saved.key) as path:
            _, _, sha256 = await MAINTENANCE.run(digests, path)
    except ObjectNotFound:
        raise BackupDamaged(f"the object store lacks {saved.key}") from None
    if sha256 != saved.sha256:
        raise BackupDamaged(f"{saved.key} has other content in the object store than when it was listed")


def _batches(objects: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(objects)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch
