"""Taking in what users name by URL, and new bytes for what is there; nothing is fetched here."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from libs import edit_orders
from libs.backends import Backends
from libs.contracts.edits import Edit
from libs.contracts.messages import EditImage, Follow, IngestImage, IngestSource, Source, TransformImage
from libs.contracts.words import Priority, Retention
from libs.imaging.operations import AnyOperation
from libs.intake import Upload, check_operations, check_quotas, check_webhook_url, publish, store_upload
from libs.outbound import is_data_url
from libs.retention import delete
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
    webhook_url: str | None = None


async def ingest(wanted: Wanted, owner: BaseUser, backends: Backends, *, request_id: str) -> Job:
    """Queue the making of an image from a URL, and of its result where operations are asked for.

    The job that ends it all tells the `webhook_url`: the result's, or this one if there is none to follow.

    Raises:
        UrlForbidden: An address says by itself that it is not one that is asked.
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
    source = IngestSource(url=wanted.url)
    message = _message(source, wanted, owner, new_id(), retention=retention, follow=follow)
    return await _queue(message, owner, backends, request_id, webhook_url=wanted.webhook_url)


async def replace(
    image: Image, wanted: Wanted, owner: BaseUser, backends: Backends, *, request_id: str
) -> Job:
    """Queue the fetching of new bytes for a stored image, which stays as it is until they are there.

    Raises:
        UrlForbidden, TooManyJobs: As `ingest`.
    """
    source = IngestSource(url=wanted.url)
    message = _message(source, wanted, owner, image.id, retention=wanted.retention, replaces=True)
    return await _queue(message, owner, backends, request_id)


async def replace_by(
    image: Image, upload: Upload, wanted: Wanted, owner: BaseUser, backends: Backends, *, request_id: str
) -> Job:
    """Queue the putting of an upload's bytes in the place of a stored image's; `upload.path` is consumed.

    Until then the upload is an ephemeral image of its own.

    Raises:
        QuotaExceeded, TooManyJobs, StoreUnavailable: Nothing was queued or stored.
    """
    staged, _ = await store_upload(
        upload, owner, backends, operations=None, retention=Retention.EPHEMERAL, request_id=request_id
    )
    source = IngestSource(image_id=staged.id)
    message = _message(source, wanted, owner, image.id, retention=wanted.retention, replaces=True)
    try:
        return await _queue(message, owner, backends, request_id)
    except BaseException:
        await delete(staged, owner, backends)
        raise


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
    source: IngestSource,
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
        source=source,
        target=target,
        replaces=replaces,
        filename=wanted.filename,
        retention=retention,
        reuse=wanted.reuse,
        follow=follow,
    )


async def _queue(
    message: IngestImage,
    owner: BaseUser,
    backends: Backends,
    request_id: str,
    *,
    webhook_url: str | None = None,
) -> Job:
    url = message.source.url
    if url is not None and not is_data_url(url):
        backends.guard.check_url(url)
    check_webhook_url(webhook_url, backends)
    await check_quotas(owner, 0, backends)
    job = jobs.new(
        message,
        owner=owner.id,
        priority=Priority.INTERACTIVE,
        request_id=request_id,
        webhook_url=webhook_url,
    )
    async with transaction():
        edit = message.follow.edit if message.follow else None
        await edit_orders.insert_admitted(job, owner.id, edit, backends)
    await publish(job, backends)
    return job
