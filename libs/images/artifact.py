"""Store an artifact: a file in the object store and its row in the database, under one rule.

The object comes first, then one transaction writes the row and all that belongs to it. When that transaction
is rolled back, the object is removed. When the outcome is unknown (the connection drops in COMMIT, the store
does not answer, the caller is cancelled), the object stays. Minutes later this process looks for the row, and
removes an object that has none; `darkroom doctor` finds those of a process that was killed before.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from uuid import UUID

import structlog
from msgspec import Struct

from libs.backends import Backends
from libs.contracts.enums import Retention
from libs.contracts.outcome import outcome_of
from libs.imaging.header import Header
from libs.imaging.pipeline import Rendered
from libs.runtime.background import run_to_completion
from libs.storage import filenames, images
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.statement import new_row
from libs.storage.database.tables import Image, now
from libs.storage.objects import Digest, ObjectsNotDeleted

STORING_GRACE_S = 2.0  # that a cancelled caller waits for the end of storing
REMOVE_EVERY_S = 60.0
UNKNOWN_FOR_S = 600.0  # far longer than a server keeps the transaction of a connection that it has lost

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Artifact(Struct, frozen=True, kw_only=True):
    """A file that is ready to be stored, and its row."""

    image: Image
    path: Path  # consumed by storing
    owner: str  # username
    job_id: UUID | None = None  # the job that made it

    @property
    def labels(self) -> dict[str, str]:
        """The object's metadata, for people who browse the store; the database never depends on it."""
        labels = {"owner": self.owner, "image-id": str(self.image.id), "md5": self.image.md5}
        return labels if self.job_id is None else {**labels, "job-id": str(self.job_id)}


async def store(artifacts: Sequence[Artifact], record: Callable[[], Awaitable[T]], backends: Backends) -> T:
    """Put the files into the object store, then run `record`: one transaction that writes their rows.

    Raises:
        StoreUnavailable: A file was not taken; `record` did not run.
        Whatever `record` raises.
    """
    return await run_to_completion(_store(artifacts, record, backends), grace_s=STORING_GRACE_S)


async def _store(artifacts: Sequence[Artifact], record: Callable[[], Awaitable[T]], backends: Backends) -> T:
    keys, known = [artifact.image.object_key for artifact in artifacts], False
    try:
        for artifact in artifacts:
            await _put(artifact, backends)
        try:
            result = await record()
        except DatabaseUnavailable:
            raise  # the commit may have succeeded
        except Exception:
            with suppress(ObjectsNotDeleted):  # `darkroom doctor` finds what is kept
                await backends.objects.delete(keys)
            known = True
            raise
        known = True
        return result
    finally:
        if not known:
            backends.unrecorded.update(dict.fromkeys(keys, time.monotonic()))


async def _put(artifact: Artifact, backends: Backends) -> None:
    image = artifact.image
    await backends.objects.put(
        image.object_key,
        artifact.path,
        content_type=image.mime,
        metadata=artifact.labels,
        expected=Digest(image.size_bytes, image.md5),
    )


async def keep_removing_unrecorded(backends: Backends) -> NoReturn:
    """Call `remove_unrecorded` from time to time."""
    while True:
        await asyncio.sleep(REMOVE_EVERY_S)
        try:
            await remove_unrecorded(backends)
        except Exception as error:
            if outcome_of(error) != "transient":
                log.exception("removing_unrecorded_failed")
            else:
                log.warning("unrecorded_not_removed", error=str(error))


async def remove_unrecorded(backends: Backends, *, older_than_s: float = UNKNOWN_FOR_S) -> None:
    """Remove objects that were stored longer than `older_than_s` ago and have no row after all."""
    until = time.monotonic() - older_than_s
    keys = [key for key, since in backends.unrecorded.items() if since <= until]
    if not keys:
        return
    known = await images.sizes_by_key(keys)
    with suppress(ObjectsNotDeleted):  # `darkroom doctor` finds what is kept
        await backends.objects.delete([key for key in keys if key not in known])
    for key in keys:
        del backends.unrecorded[key]


def new_image(
    file: Rendered,
    *,
    image_id: UUID,
    owner: int,
    filename: str,
    object_key: str,
    retention: Retention,
    undownloaded_s: float,
    created_at: datetime | None = None,
    **columns: Any,  # noqa: ANN401 - of the row, by name
) -> Image:
    """Build the row of a file; an ephemeral one expires `undownloaded_s` from now unless it is downloaded."""
    moment = created_at or now()
    ephemeral = retention == Retention.EPHEMERAL
    image = new_row(
        Image,
        id=image_id,
        owner=owner,
        filename=filenames.with_extension(filename, file.extension),
        object_key=object_key,
        format=file.format,
        mime=file.mime,
        width=file.width,
        height=file.height,
        frames=file.frames,
        size_bytes=file.size_bytes,
        md5=file.md5,
        retention=retention,
        expires_at=moment + timedelta(seconds=undownloaded_s) if ephemeral else None,
        created_at=moment,
        updated_at=moment,
        expiry_group=image_id,
    )
    for name, value in columns.items():
        setattr(image, name, value)
    return image


def as_received(header: Header, *, size_bytes: int, md5: str) -> Rendered:
    """Describe a file that is stored as it was received."""
    return Rendered(
        format=header.format,
        mime=header.mime,
        extension=header.extension,
        width=header.width,
        height=header.height,
        frames=header.frames,
        size_bytes=size_bytes,
        md5=md5,
    )
