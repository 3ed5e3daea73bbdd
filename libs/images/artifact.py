"""Store an artifact: a file in the object store and its row in the database, under one rule.

The object comes first, then one transaction writes the row and all that belongs to it. When that transaction
is rolled back, the object is removed. When its outcome is unknown (the connection drops in COMMIT, the caller
is cancelled), the object stays: the row tells the truth, and `darkroom doctor` finds an object without one.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from msgspec import Struct

from libs.backends import Backends
from libs.contracts.enums import Retention
from libs.imaging.header import Header
from libs.imaging.pipeline import Rendered
from libs.runtime.background import run_to_completion
from libs.runtime.disk import StorageFull
from libs.storage import filenames
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import Image, now
from libs.storage.objects import Digest

STORING_GRACE_S = 2.0  # that a cancelled caller waits for the end of storing

T = TypeVar("T")


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
        StoreUnavailable, StorageFull: A file was not taken; `record` did not run.
        Whatever `record` raises.
    """
    return await run_to_completion(_store(artifacts, record, backends), grace_s=STORING_GRACE_S)


async def _store(artifacts: Sequence[Artifact], record: Callable[[], Awaitable[T]], backends: Backends) -> T:
    for artifact in artifacts:
        image = artifact.image
        await backends.objects.put(
            image.object_key,
            artifact.path,
            content_type=image.mime,
            metadata=artifact.labels,
            expected=Digest(image.size_bytes, image.md5),
        )
    try:
        return await record()
    except (DatabaseUnavailable, StorageFull):
        raise  # the commit may have succeeded
    except Exception:
        await backends.objects.delete([artifact.image.object_key for artifact in artifacts])
        raise


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
    image = Image(
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
