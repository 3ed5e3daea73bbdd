"""Create an image from an uploaded file, and queue what is requested of it."""

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from libs.backends import Backends
from libs.contracts.edits import Edit
from libs.contracts.enums import Retention
from libs.images import artifact, retention
from libs.images.artifact import Artifact
from libs.images.render_ahead import check_presets
from libs.imaging.header import Header
from libs.imaging.operations import AnyOperation
from libs.jobs import admission, build
from libs.jobs.build import JobOptions
from libs.jobs.publish import publish
from libs.jobs.submit import insert_job
from libs.storage import direct_uploads, idempotency, images, object_keys, upload_tokens
from libs.storage.database.connection import transaction
from libs.storage.database.statement import insert
from libs.storage.database.tables import BaseUser, Image, Job, new_id, now
from libs.storage.database.upload_tables import DirectUpload


class Upload(Struct, frozen=True, kw_only=True):
    """A received file whose header has passed its checks."""

    path: Path
    filename: str
    size_bytes: int
    md5: str
    header: Header


class CreateImage(Struct, frozen=True, kw_only=True):
    """Store an upload; with operations or an edit, queue a job that makes a result of it."""

    owner: BaseUser
    upload: Upload  # its file is consumed
    options: JobOptions
    operations: Sequence[AnyOperation] | None = None
    edit: Edit | None = None  # runs before the operations
    retention: Retention | None = None  # None: the default of the settings
    result_retention: Retention | None = None  # None: that of the upload
    tags: tuple[str, ...] = ()
    public: bool = False
    renditions: tuple[str, ...] = ()  # presets to render ahead
    token: UUID | None = None  # the upload token that it counts for
    claims: DirectUpload | None = None  # the direct upload that it is made of, which counts already


async def create_image(command: CreateImage, backends: Backends) -> tuple[Image, Job | None]:
    """Store the image and its jobs; return it with the job that the caller waits for.

    An ephemeral result expires together with its ephemeral upload. A kept image gets its hash by a job of its
    own, which is returned when no other job is requested.

    Raises:
        EditsNotConfigured, UrlForbidden, TooManyOperations, ImageNotFound, AssetMissing, TooManyJobs,
        QuotaExceeded, DailyEditsUsed, UploadTokenUsedUp, UploadTokenInvalid, UploadClaimed,
        UploadNotFound, ImageNotKept, PresetNotFound: Nothing is stored.
        StoreUnavailable: The object store did not take the file.
    """
    owner, options = command.owner, command.options
    await admission.check(
        owner,
        backends,
        operations=command.operations or (),
        edit=command.edit,
        webhook_url=options.webhook_url,
        more_bytes=command.upload.size_bytes,
        reserved_bytes=command.claims.size_bytes if command.claims else 0,
    )
    image = _new_image(command, backends)
    await check_presets(owner.id, command.renditions)
    rendering = build.rendering_job(image, owner.username, command.renditions, options.request_id)
    hashing = build.hash_job(image, owner.username, options.request_id)
    requested = _requested_job(command, image)
    awaited = requested or hashing
    if awaited is not None:
        awaited.webhook_url = options.webhook_url

    async def record() -> None:
        async with transaction():
            if command.claims is None:
                await upload_tokens.spend(command.token)
            else:
                await direct_uploads.claim(command.claims.id, image.id)
            await insert(image)
            for job in (rendering, hashing):
                if job is not None:
                    await insert(job)
            if requested is not None:
                await insert_job(requested, backends)
            await idempotency.bind(options.reservation, subject=image.id, job=awaited.id if awaited else None)

    file = Artifact(image=image, path=command.upload.path, owner=owner.username)
    await artifact.store([file], record, backends)
    for queued in (requested, hashing, rendering):
        if queued is not None:
            await publish(queued, backends)
    return image, awaited


def upload_row(
    upload: Upload,
    owner: BaseUser,
    retention: Retention,
    backends: Backends,
    *,
    replaces: Image | None = None,
) -> Image:
    """Build the row of an uploaded file; one that replaces an image's file gets an object beside it."""
    image_id, moment = replaces.id if replaces else new_id(), now()
    name: UUID | str = f"{image_id}.{new_id()}" if replaces else image_id
    file = artifact.as_received(upload.header, size_bytes=upload.size_bytes, md5=upload.md5)
    return artifact.new_image(
        file,
        image_id=image_id,
        owner=owner.id,
        filename=upload.filename,
        object_key=object_keys.object_key(
            owner.username, name, upload.filename, file.extension, folder=object_keys.ORIGINALS, when=moment
        ),
        retention=retention,
        undownloaded_s=backends.settings.expire_undownloaded_s,
        created_at=moment,
    )


def _new_image(command: CreateImage, backends: Backends) -> Image:
    has_result = command.operations is not None or command.edit is not None
    kept = retention.of_upload(command.retention, backends.settings, has_result=has_result)
    retention.require_kept(kept, public=command.public, renditions=command.renditions)
    image = upload_row(command.upload, command.owner, kept, backends)
    image.public = command.public
    image.tags = images.tags_column(command.tags)
    return image


def _requested_job(command: CreateImage, image: Image) -> Job | None:
    uploaded, operations = Retention(image.retention), command.operations or ()
    keep = retention.of_result(command.result_retention, uploaded) == Retention.KEEP
    shares = not keep and uploaded == Retention.EPHEMERAL
    if command.edit is not None:
        return build.edit_job(
            image,
            command.owner,
            command.edit,
            operations,
            command.options,
            keep=keep,
            shares_expiry=shares,
        )
    if command.operations is not None:
        return build.transform_job(
            image, command.owner, operations, command.options, keep=keep, shares_expiry=shares
        )
    return None
