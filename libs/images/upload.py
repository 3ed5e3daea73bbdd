"""Taking work in: an upload becomes an image, a wish becomes a job."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from libs.backends import Backends
from libs.contracts.commands import Source, TransformImage
from libs.contracts.edits import Edit
from libs.contracts.enums import Priority, Retention
from libs.images import watermark_sources
from libs.images.describe_jobs import hashing_of
from libs.imaging.header import Header
from libs.imaging.operations import AnyOperation
from libs.jobs import admission
from libs.jobs.events import announce, announce_cancelled
from libs.jobs.publish import publish
from libs.storage import account_usage, filenames, jobs, object_keys
from libs.storage.database.connection import transaction
from libs.storage.database.statement import insert
from libs.storage.database.tables import BaseUser, Image, Job, new_id, now
from libs.storage.image_errors import QuotaExceeded


class TooManyOperations(Exception):
    """The list of operations is longer than allowed."""

    code = "too_many_operations"


class Upload(Struct, frozen=True, kw_only=True):
    """A received file that has passed the checks of its header."""

    path: Path
    filename: str
    size_bytes: int
    md5: str
    header: Header


async def store_upload(
    upload: Upload,
    owner: BaseUser,
    backends: Backends,
    *,
    operations: Sequence[AnyOperation] | None,
    retention: Retention | None,
    request_id: str,
    webhook_url: str | None = None,
    edit: Edit | None = None,
) -> tuple[Image, Job | None]:
    """Keep an uploaded file and queue what is to be done with it; the file at `upload.path` is consumed.

    With operations or an edit the upload is ephemeral unless asked otherwise, and its result shares its
    clock. Without, it is kept. A kept image gets its hash by a job of its own; that one comes back where no
    other was asked for. The job tells `webhook_url` how it ended.

    Raises:
        QuotaExceeded, TooManyJobs, TooManyOperations, UrlForbidden: Nothing was stored.
        EditsNotConfigured, DailyEditsUsed: Neither.
        StoreUnavailable: The object store did not take it.
    """
    settings = backends.settings
    if edit is not None:
        await admission.check(edit, owner, backends)
    check_webhook_url(webhook_url, backends)
    await check_operations(operations or (), owner, backends)
    await check_quotas(owner, upload.size_bytes, backends)
    made_of_it = operations is not None or edit is not None
    retention = retention or (Retention.EPHEMERAL if made_of_it else Retention.KEEP)
    image = image_of(upload, owner, retention, settings.expire_undownloaded_s)
    hashing = hashing_of(image, owner, request_id)
    wanted = _wanted_job(image, owner, operations, edit, request_id)
    job = wanted or hashing
    if job is not None:
        job.webhook_url = webhook_url
    await backends.objects.put(
        image.object_key, upload.path, content_type=image.mime, metadata=labels(image, owner)
    )
    try:
        async with transaction():
            await insert(image)
            if hashing is not None:
                await insert(hashing)
            if wanted is not None:
                await admission.insert_admitted(wanted, owner.id, edit, backends)
    except BaseException:
        await backends.objects.delete([image.object_key])
        raise
    for queued in (wanted, hashing):
        if queued is not None:
            await publish(queued, backends)
    return image, job


class Terms(Struct, frozen=True, kw_only=True):
    """How a job was asked for."""

    request_id: str | None
    priority: Priority = Priority.INTERACTIVE
    submission: UUID | None = None  # the message from outside
    webhook_url: str | None = None


async def transform(
    image: Image,
    owner: BaseUser,
    operations: Sequence[AnyOperation],
    backends: Backends,
    *,
    retention: Retention,
    request_id: str,
    webhook_url: str | None = None,
) -> Job:
    """Queue operations over a stored image.

    Raises:
        TooManyJobs, TooManyOperations, UrlForbidden: Nothing was queued.
    """
    terms = Terms(request_id=request_id, webhook_url=webhook_url)
    job = await transform_job(image, owner, operations, backends, retention=retention, terms=terms)
    await insert(job)
    await publish(job, backends)
    return job


async def transform_job(
    image: Image,
    owner: BaseUser,
    operations: Sequence[AnyOperation],
    backends: Backends,
    *,
    retention: Retention,
    terms: Terms,
) -> Job:
    """A job that runs operations over a stored image; not stored yet.

    Raises:
        TooManyJobs, TooManyOperations, UrlForbidden: It may not be.
    """
    check_webhook_url(terms.webhook_url, backends)
    await check_operations(operations, owner, backends)
    await check_quotas(owner, 0, backends)
    return _transform_job(
        image, owner, operations, keep=retention == Retention.KEEP, shares_expiry=False, terms=terms
    )


async def cancel(owner: BaseUser, job_id: UUID, backends: Backends) -> Job:
    """End a job that nobody wants any more and tell those who wait for it.

    Raises:
        JobNotFound, JobEndedAlready: As `jobs.cancel`.
    """
    job, completed = await jobs.cancel(owner.id, job_id)
    await announce_cancelled([job.id], owner.username, backends)
    if completed is not None:
        await announce(completed, backends)
    return job


async def retry(job_id: UUID, backends: Backends) -> Job:
    """Run a failed job again.

    Raises:
        JobNotFound, JobNotFailed: As `jobs.retry`.
    """
    job = await jobs.retry(job_id)
    await publish(job, backends)
    return job


async def check_operations(operations: Sequence[AnyOperation], owner: BaseUser, backends: Backends) -> None:
    """See that a job may run these.

    Raises:
        TooManyOperations: There are more than the limit.
        ImageNotFound, AssetMissing: Another image that one needs is not to be had.
    """
    limit = backends.settings.max_operations
    if len(operations) > limit:
        raise TooManyOperations(f"{len(operations)} operations, the limit is {limit}")
    await watermark_sources.check(operations, owner.id)


def check_webhook_url(url: str | None, backends: Backends) -> None:
    """See that an address for notices, if there is one, is not of the forbidden kind.

    Raises:
        UrlForbidden: It says so by itself.
    """
    if url is not None:
        backends.guard.check_url(url)


async def check_quotas(owner: BaseUser, size_bytes: int, backends: Backends) -> None:
    """Refuse a job, and bytes to store unless there are none, that the account has no room for.

    Raises:
        TooManyJobs, QuotaExceeded: It has none.
    """
    settings, held = backends.settings, await account_usage.of(owner.id)
    if held.waiting_jobs >= settings.quota_jobs:
        raise jobs.TooManyJobs(f"{settings.quota_jobs} jobs are waiting already")
    if size_bytes and held.stored_bytes + size_bytes > settings.quota_bytes:
        raise QuotaExceeded(f"the account would hold more than {settings.quota_bytes} bytes")


def image_of(upload: Upload, owner: BaseUser, retention: Retention, undownloaded_s: float) -> Image:
    """The row of an uploaded file; not stored yet."""
    image_id, moment, header = new_id(), now(), upload.header
    return Image(
        id=image_id,
        expiry_group=image_id,
        owner=owner.id,
        filename=filenames.with_extension(upload.filename, header.extension),
        object_key=object_keys.object_key(
            owner.username,
            image_id,
            upload.filename,
            header.extension,
            folder=object_keys.ORIGINALS,
            when=moment,
        ),
        format=header.format,
        mime=header.mime,
        width=header.width,
        height=header.height,
        frames=header.frames,
        size_bytes=upload.size_bytes,
        md5=upload.md5,
        retention=retention,
        expires_at=moment + timedelta(seconds=undownloaded_s) if retention == Retention.EPHEMERAL else None,
        created_at=moment,
        updated_at=moment,
    )


def labels(image: Image, owner: BaseUser) -> dict[str, str]:
    """What the object store is told about a file."""
    return {"owner": owner.username, "image-id": str(image.id), "md5": image.md5}


def _wanted_job(
    image: Image,
    owner: BaseUser,
    operations: Sequence[AnyOperation] | None,
    edit: Edit | None,
    request_id: str,
) -> Job | None:
    keep = image.retention == Retention.KEEP
    if edit is not None:
        return admission.edit_job(
            image, owner, edit, operations or (), keep=keep, shares_expiry=True, request_id=request_id
        )
    if operations is not None:
        terms = Terms(request_id=request_id)
        return _transform_job(image, owner, operations, keep=keep, shares_expiry=True, terms=terms)
    return None


def _transform_job(
    image: Image,
    owner: BaseUser,
    operations: Sequence[AnyOperation],
    *,
    keep: bool,
    shares_expiry: bool,
    terms: Terms,
) -> Job:
    message = TransformImage(
        job_id=new_id(),
        owner=owner.username,
        submission=terms.submission,
        source=Source(image_id=image.id),
        operations=tuple(operations),
        target=new_id(),
        keep=keep,
        shares_expiry=shares_expiry,
    )
    return jobs.new(
        message,
        owner=owner.id,
        priority=terms.priority,
        request_id=terms.request_id,
        webhook_url=terms.webhook_url,
    )
