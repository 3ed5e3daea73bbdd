"""The jobs of a batch: each fetches a URL, or transforms a stored image."""

from collections.abc import Callable, Iterator
from uuid import UUID

import msgspec

from libs.batches.stored_sheet import decode_head
from libs.batches.throttle import host_of
from libs.contracts.commands import (
    AnyCommand,
    IngestImage,
    IngestSource,
    Source,
    TransformImage,
    encode,
    summary_of,
)
from libs.contracts.enums import JobKind, Retention
from libs.imaging.operations import AnyOperation
from libs.storage.batches import NewJob
from libs.storage.database.tables import BaseUser, Batch, new_ids


def job_maker(batch: Batch, owner: BaseUser) -> Callable[[str], NewJob]:
    """Return a function that builds the job of one URL, or of one address of a stored image."""
    ids = new_ids()
    make = _transforming if decode_head(batch.columns).of_images else _fetching
    return make(batch, owner, ids)


def address_of(image_id: UUID, base_url: str) -> str:
    """Return the address of a stored image, which its item shows as its URL."""
    return f"{base_url}/api/images/{image_id}"


def _fetching(batch: Batch, owner: BaseUser, ids: Iterator[UUID]) -> Callable[[str], NewJob]:
    operations, retention = _operations(batch), Retention(batch.retention)
    renditions = msgspec.json.decode(batch.renditions, type=tuple[str, ...])

    def make(url: str) -> NewJob:
        command = IngestImage(
            job_id=next(ids),
            owner=owner.username,
            source=IngestSource(url=url),
            target=next(ids),
            retention=retention,
            operations=operations,
            public=batch.public or None,
            renditions=renditions,
        )
        return _new_job(command, JobKind.INGEST, image=None, host=host_of(url))

    return make


def _transforming(batch: Batch, owner: BaseUser, ids: Iterator[UUID]) -> Callable[[str], NewJob]:
    operations, keep = _operations(batch), batch.retention == Retention.KEEP

    def make(address: str) -> NewJob:
        image_id = UUID(address.rpartition("/")[2])
        command = TransformImage(
            job_id=next(ids),
            owner=owner.username,
            source=Source(image_id=image_id),
            operations=operations,
            target=next(ids),
            keep=keep,
        )
        return _new_job(command, JobKind.TRANSFORM, image=image_id, host=None)

    return make


def _operations(batch: Batch) -> tuple[AnyOperation, ...]:
    return msgspec.json.decode(batch.operations, type=tuple[AnyOperation, ...])


def _new_job(command: AnyCommand, kind: JobKind, *, image: UUID | None, host: str | None) -> NewJob:
    summary = encode(summary_of(command)).decode()
    return NewJob(command.job_id, encode(command).decode(), summary, kind, image, host)
