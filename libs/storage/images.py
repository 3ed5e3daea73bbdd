"""Functions over images: every stored file is one row and one object."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeAlias, cast
from uuid import UUID

import msgspec
from msgspec import Struct, structs
from piccolo.columns import Column
from piccolo.columns.combination import And, Where, WhereRaw

from libs.contracts.edits import EditNote
from libs.contracts.enums import ImageStatus, JobKind, JobStatus, Retention
from libs.contracts.views.images import StoredMetadata
from libs.imaging.describe import Description
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.hashing import signed64
from libs.storage import names, webhook_outbox
from libs.storage.database.connection import transaction
from libs.storage.database.engine import rows
from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import Image, Job, now

Condition: TypeAlias = And | Where | WhereRaw

KEYS_AT_ONCE = 500
UNFINISHED = [JobStatus.QUEUED, JobStatus.RUNNING]
FILE_COLUMNS = (
    "filename",
    "source_url",
    "object_key",
    "format",
    "mime",
    "width",
    "height",
    "frames",
    "size_bytes",
    "md5",
    "phash",
    "metadata",
    "status",
)
"""What tells of an image's bytes; other bytes change all of it."""


_VISIBLE = Image.status != ImageStatus.DELETING
_BY_ID = Statement(Image.objects().where((Image.id == Slot("image_id")) & _VISIBLE))
_OWNED = Statement(
    Image.objects().where((Image.id == Slot("image_id")) & (Image.owner == Slot("owner")) & _VISIBLE)
)


class ImageError(Exception):
    """A request about an image that cannot be met."""

    code = "image_error"


class ImageNotFound(ImageError):
    """There is no such image, or it is somebody else's."""

    code = "image_not_found"


class ImageNotReady(ImageError):
    """The image's newest job has not finished."""

    code = "image_not_ready"


class ImageFailed(ImageError):
    """The image's newest job has failed; there is no result to hand out."""

    code = "image_failed"


class ImageChanged(ImageError):
    """Another request changed the image at the same time, and was first."""

    code = "image_changed"


class QuotaExceeded(ImageError):
    """The account holds as much as it may."""

    code = "quota_exceeded"


class Filter(Struct, frozen=True, kw_only=True):
    """Which images of an owner to list; None asks for nothing."""

    status: str | None = None
    format: str | None = None
    md5: str | None = None
    parent: UUID | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


class Doomed(Struct, frozen=True, kw_only=True):
    """An image on its way out."""

    id: UUID
    object_key: str
    owner: str  # username


async def owned_by(owner: int, image_id: UUID) -> Image:
    """The owner's image.

    Raises:
        ImageNotFound: There is none, it is on its way out, or it is another's.
    """
    image = await _OWNED.first(Image, owner=owner, image_id=image_id)
    if image is None:
        raise ImageNotFound(f"there is no image {image_id}")
    return image


async def by_id(image_id: UUID) -> Image | None:
    """Any image that is not on its way out."""
    return await _BY_ID.first(Image, image_id=image_id)


async def replaced(image: Image) -> Image | None:
    """The image as it is now, if it was given another file since `image` was read."""
    current = await by_id(image.id)
    return None if current is None or current.object_key == image.object_key else current


async def by_ids(image_ids: Sequence[UUID]) -> list[Image]:
    """Those of the images that are not on their way out."""
    if not image_ids:
        return []
    slots = {str(position): image_id for position, image_id in enumerate(image_ids)}
    return await _of_many(len(slots)).objects(Image, **slots)


@cache
def _of_many(count: int) -> Statement:
    slots = [Slot(str(position)) for position in range(count)]
    return Statement(Image.objects().where(Image.id.is_in(slots) & _VISIBLE))


async def sizes_of(keys: Sequence[str]) -> dict[str, int]:
    """The size that the row of each of these objects says; objects without a row are left out."""
    found: dict[str, int] = {}
    for start in range(0, len(keys), KEYS_AT_ONCE):
        some = list(keys[start : start + KEYS_AT_ONCE])
        told: list[dict[str, Any]] = await Image.select(Image.object_key, Image.size_bytes).where(
            Image.object_key.is_in(some)
        )
        found |= {row["object_key"]: row["size_bytes"] for row in told}
    return found


async def all_after(after: UUID | None, limit: int) -> list[Image]:
    """Images of all accounts that are not on their way out, in the order of their ids."""
    wanted = Image.status != ImageStatus.DELETING
    conditions = [wanted] if after is None else [wanted, Image.id > after]
    return await Image.objects().where(*conditions).order_by(Image.id).limit(limit)


async def page(owner: int, wanted: Filter, *, limit: int, after: UUID | None) -> tuple[list[Image], int]:
    """At most `limit` images, newest first, older than the image `after`; and how many match in all."""
    conditions: list[Condition] = [_visible(owner), *_conditions(wanted)]
    total = cast("int", await Image.count().where(*conditions))
    if after is not None:
        conditions.append(Image.id < after)
    found = await Image.objects().where(*conditions).order_by(Image.id, ascending=False).limit(limit)
    return found, total


async def newest_upload(owner: int) -> Image:
    """The owner's newest image that was not made of another.

    Raises:
        ImageNotFound: There is none.
    """
    found = await (
        Image.objects()
        .where(_visible(owner), Image.parent.is_null())
        .order_by(Image.id, ascending=False)
        .first()
    )
    if found is None:
        raise ImageNotFound("there is no image yet")
    return found


async def latest_of(image: Image) -> Image:
    """The result of the image's newest job that makes one; the image itself where there is no such job.

    Raises:
        ImageNotReady: That job has not ended.
        ImageFailed: That job has failed; the text says why.
        ImageNotFound: Its result is gone already.
    """
    job = await (
        Job.objects()
        .where(
            (Job.image == image.id)
            & Job.kind.is_in([JobKind.TRANSFORM, JobKind.EDIT])
            & (Job.status != JobStatus.CANCELLED)
        )
        .order_by(Job.id, ascending=False)
        .first()
    )
    if job is None:
        return image
    if job.status == JobStatus.FAILED:
        raise ImageFailed(f"{job.error_code}: {job.error}")
    if job.status != JobStatus.COMPLETED:
        raise ImageNotReady(f"Image not ready: job {job.id} is {job.status}")
    return await owned_by(image.owner, job.result or job.id)


async def change(
    image: Image, *, filename: str | None, retention: Retention | None, undownloaded_s: float
) -> Image:
    """Rename an image or change how long it stays; an ephemeral one starts its time anew."""
    wished = changes(image, filename=filename, retention=retention, undownloaded_s=undownloaded_s)
    await Image.update({Image.updated_at: now(), **wished}).where(Image.id == image.id)
    return await owned_by(image.owner, image.id)


def changes(
    image: Image, *, filename: str | None, retention: Retention | None, undownloaded_s: float
) -> dict[Any, Any]:
    """What `change` sets in the row; None leaves alone."""
    values: dict[Any, Any] = {}
    if filename is not None:
        values[Image.filename] = names.with_extension(
            filename, FORMATS[cast("FormatName", image.format)].extension
        )
    if retention is not None and retention != image.retention:
        ends = None if retention == Retention.KEEP else now() + timedelta(seconds=undownloaded_s)
        values |= {
            Image.retention: retention,
            Image.expires_at: ends,
            Image.first_downloaded_at: None,
            Image.expiry_group: image.id,
        }
    return values


async def note_download(image: Image, *, downloaded_s: float) -> None:
    """Start the clock of an ephemeral image and those that share it; only the first download does.

    The clock's own row goes first: a job that is just adding a result to this clock holds that row, so either
    it sees this download or the second statement sees its result.
    """
    if image.retention != Retention.EPHEMERAL or image.first_downloaded_at is not None:
        return
    moment = now()
    started: dict[Column | str, Any] = {
        Image.first_downloaded_at: moment,
        Image.expires_at: moment + timedelta(seconds=downloaded_s),
    }
    untouched = Image.first_downloaded_at.is_null() & (Image.retention == Retention.EPHEMERAL)
    async with transaction():
        await Image.update(started).where(untouched, Image.id == image.expiry_group)
        await Image.update(started).where(untouched, Image.expiry_group == image.expiry_group)


async def mark_deleting(image_id: UUID) -> list[UUID]:
    """Hide an image for good and stop its jobs; the ids of those it stopped."""
    async with transaction():
        await Image.update({Image.status: ImageStatus.DELETING}).where(Image.id == image_id)
        stopped = await (
            Job.update({Job.status: JobStatus.CANCELLED, Job.finished_at: now()})
            .where((Job.image == image_id) & Job.status.is_in(UNFINISHED))
            .returning(Job.id)
        )
    return [row["id"] for row in stopped]


async def mark_expired(limit: int) -> int:
    """Mark for deletion what has reached its end; an image whose job still runs waits for it. How many."""
    busy = cast("Any", Job.select(Job.image).where(Job.status.is_in(UNFINISHED) & Job.image.is_not_null()))
    ended = cast(
        "Any",
        Image.select(Image.id)
        .where((Image.expires_at <= now()) & (Image.status != ImageStatus.DELETING) & Image.id.not_in(busy))
        .limit(limit),
    )
    async with transaction():
        marked: list[dict[str, Any]] = await (
            Image.update({Image.status: ImageStatus.DELETING})
            .where(Image.id.is_in(ended) & (Image.status != ImageStatus.DELETING))
            .returning(Image.id)
        )
        await webhook_outbox.of_expired_images([row["id"] for row in marked])
    return len(marked)


async def deleting(limit: int, *, only: UUID | None = None) -> list[Doomed]:
    """Images on their way out, oldest first."""
    conditions = [Image.status == ImageStatus.DELETING]
    if only is not None:
        conditions.append(Image.id == only)
    rows = await (
        Image.select(Image.id, Image.object_key, Image.owner.username.as_alias("owner"))
        .where(*conditions)
        .order_by(Image.id)
        .limit(limit)
    )
    return [Doomed(**row) for row in rows]


async def forget(image_ids: Sequence[UUID]) -> list[UUID]:
    """Remove the rows whose objects are gone; those that this call removed."""
    if not image_ids:
        return []
    gone = await rows(
        Image.delete()
        .where(Image.id.is_in(list(image_ids)) & (Image.status == ImageStatus.DELETING))
        .returning(Image.id)
    )
    return [row["id"] for row in gone]


def _undescribed() -> And:
    missing = Image.phash.is_null() | Image.metadata.is_null()
    return missing & (Image.status != ImageStatus.DELETING)


async def count_undescribed() -> int:
    """How many images lack their hash or their metadata, over all accounts."""
    return cast("int", await Image.count().where(_undescribed()))


async def undescribed(limit: int, *, after: UUID | None) -> list[Image]:
    """Images that lack their hash or their metadata, oldest first, newer than the image `after`."""
    wanted = _undescribed() if after is None else _undescribed() & (Image.id > after)
    return await Image.objects().where(wanted).order_by(Image.id).limit(limit)


def described(found: Description, *, edit: EditNote | None) -> dict[Any, Any]:
    """What a full decode sets in the row, beside what is known of the edit that made the image."""
    told = StoredMetadata(**structs.asdict(found), edit=edit)
    return {Image.phash: signed64(found.phash), Image.metadata: msgspec.json.encode(told).decode()}


def edit_note(image: Image) -> EditNote | None:
    """What is known of the edit that made the image; None for all others."""
    return msgspec.json.decode(image.metadata, type=_Noted).edit if image.metadata else None


class _Noted(Struct, frozen=True):
    edit: EditNote | None = None


async def note_description(image: Image, values: dict[Any, Any]) -> bool:
    """Set what a decode told; False when the image is gone or has other bytes by now."""
    unchanged = (Image.id == image.id) & (Image.object_key == image.object_key) & _undescribed()
    noted: list[dict[str, Any]] = await Image.update(values).where(unchanged).returning(Image.id)
    return bool(noted)


def _visible(owner: int) -> And:
    return (Image.owner == owner) & (Image.status != ImageStatus.DELETING)


_NEWEST_JOB = (
    "coalesce((select j.status from job j where j.image = image.id order by j.id desc limit 1), 'completed')"
)
_JOB_STATUSES = {
    "pending": "('queued')",
    "processing": "('running')",
    "completed": "('completed', 'cancelled')",
    "failed": "('failed')",
}


def _conditions(wanted: Filter) -> list[Condition]:
    found: list[Condition] = []
    if wanted.status is not None:
        found.append(WhereRaw(f"{_NEWEST_JOB} in {_JOB_STATUSES[wanted.status]}"))
    if wanted.format is not None:
        found.append(Image.format == wanted.format)
    if wanted.md5 is not None:
        found.append(Image.md5 == wanted.md5.lower())
    if wanted.parent is not None:
        found.append(Image.parent == wanted.parent)
    if wanted.created_after is not None:
        found.append(Image.created_at >= wanted.created_after)
    if wanted.created_before is not None:
        found.append(Image.created_at < wanted.created_before)
    return found
