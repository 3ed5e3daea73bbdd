"""Taking in what users name by URL: a wish becomes a job, and nothing is fetched here."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from libs import edit_orders
from libs.backends import Backends
from libs.contracts.edits import Edit
from libs.contracts.messages import EditImage, Follow, IngestImage, Source, TransformImage, UrlSource
from libs.contracts.words import Priority, Retention
from libs.imaging.operations import AnyOperation
from libs.intake import check_operations, check_quotas, publish
from libs.outbound import is_data_url
from libs.storage import jobs
from libs.storage.database import transaction
from libs.storage.tables import BaseUser, Image, Job, new_id


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to become of the image at a URL."""

    url: str
    filename: str | None = None
    retention: Retention | None = None
    operations: Sequence[AnyOperation] | None = None
    reuse: bool = False
    edit: Edit | None = None  # before the operations


async def ingest(wanted: Wanted, owner: BaseUser, backends: Backends, *, request_id: str) -> Job:
    """Queue the making of an image from a URL, and of its result where operations are asked for.

    Raises:
        UrlForbidden: The address says by itself that it is not one that is fetched.
        TooManyJobs, TooManyOperations, EditsNotConfigured, DailyEditsUsed: Nothing was queued.
    """
    if wanted.edit is not None:
        await edit_orders.check(wanted.edit, owner, backends)
    await check_operations(wanted.operations or (), owner, backends)
    follow = None
    if wanted.operations is not None or wanted.edit is not None:
        operations = tuple(wanted.operations or ())
        follow = Follow(job_id=new_id(), target=new_id(), operations=operations, edit=wanted.edit)
    retention = wanted.retention or (Retention.KEEP if follow is None else Retention.EPHEMERAL)
    message = _message(wanted, owner, new_id(), retention=retention, follow=follow)
    return await _queue(message, owner, backends, request_id)


async def replace(
    image: Image, wanted: Wanted, owner: BaseUser, backends: Backends, *, request_id: str
) -> Job:
    """Queue the fetching of new bytes for a stored image, which stays as it is until they are there.

    Raises:
        UrlForbidden, TooManyJobs: As `ingest`.
    """
    message = _message(wanted, owner, image.id, retention=wanted.retention, replaces=True)
    return await _queue(message, owner, backends, request_id)


def following(message: IngestImage, image: Image, request_id: str | None) -> Job | None:
    """The job that was asked for together with the image; not stored yet."""
    if message.follow is None:
        return None
    kept, follow = image.retention == Retention.KEEP, message.follow
    every: dict[str, Any] = {
        "job_id": follow.job_id,
        "owner": message.owner,
        "source": Source(image_id=image.id),
        "operations": follow.operations,
        "target": follow.target,
        "keep": kept and message.retention == Retention.KEEP,
        "shares_clock": not kept,
    }
    command = TransformImage(**every) if follow.edit is None else EditImage(edit=follow.edit, **every)
    return jobs.new(command, owner=image.owner, priority=Priority.INTERACTIVE, request_id=request_id)


def _message(
    wanted: Wanted,
    owner: BaseUser,
    target: UUID,
    *,
    retention: Retention | None,
    follow: Follow | None = None,
    replaces: bool = False,
) -> IngestImage:
    return IngestImage(
        job_id=new_id(),
        owner=owner.username,
        source=UrlSource(url=wanted.url),
        target=target,
        replaces=replaces,
        filename=wanted.filename,
        retention=retention,
        reuse=wanted.reuse,
        follow=follow,
    )


async def _queue(message: IngestImage, owner: BaseUser, backends: Backends, request_id: str) -> Job:
    if not is_data_url(message.source.url):
        backends.guard.check_url(message.source.url)
    await check_quotas(owner, 0, backends)
    job = jobs.new(message, owner=owner.id, priority=Priority.INTERACTIVE, request_id=request_id)
    async with transaction():
        edit = message.follow.edit if message.follow else None
        await edit_orders.insert_admitted(job, owner.id, edit, backends)
    await publish(job, backends)
    return job
