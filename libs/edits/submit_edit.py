"""Queue edits: of a stored image, of one that gets new bytes first, or of a prompt alone."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from libs.backends import Backends
from libs.contracts.edits import Edit
from libs.contracts.enums import Retention
from libs.images import artifact, expiry
from libs.images.artifact import Artifact
from libs.images.upload import Upload, upload_row
from libs.imaging.operations import AnyOperation
from libs.jobs import admission, build
from libs.jobs.build import JobOptions
from libs.jobs.publish import publish
from libs.jobs.submit import insert_job, submit
from libs.storage import idempotency, image_sources, images
from libs.storage.database.connection import transaction
from libs.storage.database.statement import insert
from libs.storage.database.tables import BaseUser, Image, Job


class EditStored(Struct, frozen=True, kw_only=True):
    """Edit a stored image by a prompt, or without one make images from the prompt alone."""

    owner: BaseUser
    image: Image | None
    edit: Edit
    options: JobOptions
    operations: Sequence[AnyOperation] = ()  # run over each image that the model returns
    retention: Retention = Retention.EPHEMERAL


class ReplaceAndEdit(Struct, frozen=True, kw_only=True):
    """Put an upload in the place of an image's bytes, and edit it, in one step."""

    owner: BaseUser
    image: Image
    upload: Upload  # its file is consumed
    edit: Edit
    options: JobOptions
    operations: Sequence[AnyOperation] = ()


async def edit_image(command: EditStored, backends: Backends) -> Job:
    """Queue the job.

    Raises:
        EditsNotConfigured, UrlForbidden, TooManyOperations, ImageNotFound, AssetMissing, TooManyJobs,
        DailyEditsUsed: Nothing is queued.
        OrderKnown: As `submit`.
    """
    owner, options = command.owner, command.options
    await admission.check(
        owner,
        backends,
        operations=command.operations,
        edit=command.edit,
        webhook_url=options.webhook_url,
    )
    keep = command.retention == Retention.KEEP
    job = build.edit_job(command.image, owner, command.edit, command.operations, options, keep=keep)
    return await submit(job, backends, options=options)


async def replace_and_edit(command: ReplaceAndEdit, backends: Backends) -> tuple[Image, Job]:
    """Replace the bytes and queue the edit; what was made of the former bytes stays as images of its own.

    Raises:
        EditsNotConfigured, UrlForbidden, TooManyOperations, ImageNotFound, AssetMissing, TooManyJobs,
        QuotaExceeded, DailyEditsUsed, ImageChanged: The image is as it was.
        StoreUnavailable: The object store did not take the file.
    """
    owner, image, options = command.owner, command.image, command.options
    await admission.check(
        owner,
        backends,
        operations=command.operations,
        edit=command.edit,
        webhook_url=options.webhook_url,
        more_bytes=max(0, command.upload.size_bytes - image.size_bytes),
    )
    kept = image.retention == Retention.KEEP
    fresh = upload_row(command.upload, owner, Retention(image.retention), backends, replaces=image)
    hashing = build.hash_job(fresh, owner.username, options.request_id)
    job = build.edit_job(
        image, owner, command.edit, command.operations, options, keep=kept, shares_expiry=not kept
    )

    async def record() -> UUID:
        async with transaction():
            former = await image_sources.replace_file(image, fresh)
            if hashing is not None:
                await insert(hashing)
            await insert_job(job, backends)
            await idempotency.bind(options.reservation, subject=image.id, job=job.id)
        return former

    file = Artifact(image=fresh, path=command.upload.path, owner=owner.username)
    former = await artifact.store([file], record, backends)
    await publish(job, backends)
    if hashing is not None:
        await publish(hashing, backends)
    await expiry.remove_marked(former, backends)
    return await images.owned_by(owner.id, image.id), job
