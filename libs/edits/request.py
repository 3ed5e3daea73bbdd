"""Taking edits in: of a stored image, of one that gets new bytes first, and of nothing but a prompt."""

from collections.abc import Sequence

from libs.backends import Backends
from libs.contracts.edits import Edit
from libs.contracts.enums import Retention
from libs.images import expiry as removal
from libs.images.describe_jobs import hashing_of
from libs.images.upload import (
    Terms,
    Upload,
    check_operations,
    check_quotas,
    check_webhook_url,
    image_of,
    labels,
)
from libs.imaging.operations import AnyOperation
from libs.jobs import admission
from libs.jobs.publish import publish
from libs.storage import image_sources, images, object_keys
from libs.storage.database.connection import transaction
from libs.storage.database.statement import insert
from libs.storage.database.tables import BaseUser, Image, Job, new_id


async def edit(
    image: Image | None,
    owner: BaseUser,
    wanted: Edit,
    operations: Sequence[AnyOperation],
    backends: Backends,
    *,
    retention: Retention,
    request_id: str,
    webhook_url: str | None = None,
) -> Job:
    """Queue an edit of a stored image, or without one the making of images from the prompt.

    Raises:
        EditsNotConfigured, DailyEditsUsed, TooManyJobs, TooManyOperations, ImageNotFound,
        UrlForbidden: Nothing was queued.
    """
    terms = Terms(request_id=request_id, webhook_url=webhook_url)
    job = await edit_job(image, owner, wanted, operations, backends, retention=retention, terms=terms)
    async with transaction():
        await admission.insert_admitted(job, owner.id, wanted, backends)
    await publish(job, backends)
    return job


async def edit_job(
    image: Image | None,
    owner: BaseUser,
    wanted: Edit,
    operations: Sequence[AnyOperation],
    backends: Backends,
    *,
    retention: Retention,
    terms: Terms,
) -> Job:
    """A job that edits a stored image, or makes images of the prompt alone; not stored yet.

    Raises:
        EditsNotConfigured, TooManyJobs, TooManyOperations, ImageNotFound, UrlForbidden: It may not be.
    """
    check_webhook_url(terms.webhook_url, backends)
    await _check(wanted, operations, owner, backends, size_bytes=0)
    return admission.edit_job(
        image,
        owner,
        wanted,
        operations,
        keep=retention == Retention.KEEP,
        shares_expiry=False,
        request_id=terms.request_id,
        webhook_url=terms.webhook_url,
        submission=terms.submission,
    )


async def replace_and_edit(
    image: Image,
    upload: Upload,
    owner: BaseUser,
    wanted: Edit,
    operations: Sequence[AnyOperation],
    backends: Backends,
    *,
    request_id: str,
    webhook_url: str | None = None,
) -> tuple[Image, Job]:
    """Let an upload take the place of an image's bytes, and queue an edit of it, in one step.

    What was made of the former bytes stays as images of its own. The file at `upload.path` is consumed.

    Raises:
        EditsNotConfigured, DailyEditsUsed, TooManyJobs, TooManyOperations, QuotaExceeded, ImageNotFound,
        ImageChanged, UrlForbidden: Everything is as it was.
        StoreUnavailable: The object store did not take the file.
    """
    check_webhook_url(webhook_url, backends)
    grown = max(0, upload.size_bytes - image.size_bytes)
    await _check(wanted, operations, owner, backends, size_bytes=grown)
    kept = image.retention == Retention.KEEP
    fresh = _fresh(image, upload, owner)
    hashing = hashing_of(fresh, owner, request_id)
    job = admission.edit_job(
        image,
        owner,
        wanted,
        operations,
        keep=kept,
        shares_expiry=not kept,
        request_id=request_id,
        webhook_url=webhook_url,
    )
    await backends.objects.put(
        fresh.object_key, upload.path, content_type=fresh.mime, metadata=labels(fresh, owner)
    )
    row = fresh.to_dict()
    try:
        async with transaction():
            await image_sources.change(image, {name: row[name] for name in images.FILE_COLUMNS})
            former = await image_sources.put_aside(image, None)
            if hashing is not None:
                await insert(hashing)
            await admission.insert_admitted(job, owner.id, wanted, backends)
    except BaseException:
        await backends.objects.delete([fresh.object_key])
        raise
    await publish(job, backends)
    if hashing is not None:
        await publish(hashing, backends)
    await removal.remove_marked(former, backends)
    return await images.owned_by(owner.id, image.id), job


async def _check(
    wanted: Edit, operations: Sequence[AnyOperation], owner: BaseUser, backends: Backends, *, size_bytes: int
) -> None:
    await admission.check(wanted, owner, backends)
    await check_operations(operations, owner, backends)
    await check_quotas(owner, size_bytes, backends)


def _fresh(image: Image, upload: Upload, owner: BaseUser) -> Image:
    """The row as it would be for the new file; its object lies beside the former one."""
    fresh = image_of(upload, owner, Retention(image.retention), 0)
    fresh.id = image.id
    fresh.object_key = object_keys.object_key(
        owner.username,
        f"{image.id}.{new_id()}",
        upload.filename,
        upload.header.extension,
        folder=object_keys.ORIGINALS,
        when=fresh.created_at,
    )
    return fresh
