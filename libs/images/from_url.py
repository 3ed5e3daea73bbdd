"""Taking in what users name by URL, and new bytes for what is there; nothing is fetched here."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from libs.backends import Backends
from libs.contracts.commands import EditImage, Follow, IngestImage, IngestSource, Source, TransformImage
from libs.contracts.edits import Edit
from libs.contracts.enums import Retention
from libs.images.expiry import delete
from libs.images.upload import Terms, Upload, check_operations, check_quotas, check_webhook_url, store_upload
from libs.imaging.operations import AnyOperation
from libs.jobs import admission
from libs.jobs.publish import publish
from libs.outbound import is_data_url
from libs.storage import jobs
from libs.storage.database.connection import transaction
from libs.storage.database.tables import BaseUser, Image, Job, new_id


class Wanted(Struct, frozen=True, kw_only=True):
    """What is to become of the image at a URL, or of bytes from elsewhere."""

    url: str = ""
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
    source = IngestSource(url=wanted.url)
    terms = Terms(request_id=request_id, webhook_url=wanted.webhook_url)
    job, _ = await ingest_job(source, wanted, owner, backends, terms=terms)
    return await _queue(job, owner, backends, edit=wanted.edit)


async def ingest_job(
    source: IngestSource, wanted: Wanted, owner: BaseUser, backends: Backends, *, terms: Terms
) -> tuple[Job, UUID | None]:
    """A job that makes an image of a source's bytes, not stored yet; and the id of the one that follows.

    Raises:
        UrlForbidden, TooManyJobs, TooManyOperations, EditsNotConfigured: It may not be.
    """
    if wanted.edit is not None:
        await admission.check(wanted.edit, owner, backends)
    await check_operations(wanted.operations or (), owner, backends)
    follow = None
    if wanted.operations is not None or wanted.edit is not None:
        follow = Follow(
            job_id=new_id(),
            target=new_id(),
            operations=tuple(wanted.operations or ()),
            edit=wanted.edit,
            priority=terms.priority,
        )
    retention = wanted.retention or (Retention.KEEP if follow is None else Retention.EPHEMERAL)
    message = _message(source, wanted, owner, new_id(), retention=retention, follow=follow, terms=terms)
    return await _job(message, owner, backends, terms), follow.job_id if follow else None


async def replace(
    image: Image, wanted: Wanted, owner: BaseUser, backends: Backends, *, request_id: str
) -> Job:
    """Queue the fetching of new bytes for a stored image, which stays as it is until they are there.

    Raises:
        UrlForbidden, TooManyJobs: As `ingest`.
    """
    source, terms = IngestSource(url=wanted.url), Terms(request_id=request_id)
    message = _message(
        source, wanted, owner, image.id, retention=wanted.retention, replaces=True, terms=terms
    )
    return await _queue(await _job(message, owner, backends, terms), owner, backends)


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
    source, terms = IngestSource(image_id=staged.id), Terms(request_id=request_id)
    message = _message(
        source, wanted, owner, image.id, retention=wanted.retention, replaces=True, terms=terms
    )
    try:
        return await _queue(await _job(message, owner, backends, terms), owner, backends)
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
        "submission": message.submission,
        "source": Source(image_id=image.id),
        "operations": follow.operations,
        "target": follow.target,
        "keep": kept and message.retention == Retention.KEEP,
        "shares_expiry": not kept,
    }
    command = TransformImage(**every) if follow.edit is None else EditImage(edit=follow.edit, **every)
    return jobs.new(command, owner=image.owner, priority=follow.priority, request_id=request_id)


def _message(
    source: IngestSource,
    wanted: Wanted,
    owner: BaseUser,
    target: UUID,
    *,
    retention: Retention | None,
    terms: Terms,
    follow: Follow | None = None,
    replaces: bool = False,
) -> IngestImage:
    return IngestImage(
        job_id=new_id(),
        owner=owner.username,
        submission=terms.submission,
        source=source,
        target=target,
        replaces=replaces,
        filename=wanted.filename,
        retention=retention,
        reuse=wanted.reuse,
        follow=follow,
    )


async def _job(message: IngestImage, owner: BaseUser, backends: Backends, terms: Terms) -> Job:
    url = message.source.url
    if url is not None and not is_data_url(url):
        backends.guard.check_url(url)
    check_webhook_url(terms.webhook_url, backends)
    await check_quotas(owner, 0, backends)
    return jobs.new(
        message,
        owner=owner.id,
        priority=terms.priority,
        request_id=terms.request_id,
        webhook_url=terms.webhook_url,
    )


async def _queue(job: Job, owner: BaseUser, backends: Backends, *, edit: Edit | None = None) -> Job:
    async with transaction():
        await admission.insert_admitted(job, owner.id, edit, backends)
    await publish(job, backends)
    return job
