"""Functions over images that expire or are deleted: start the time limit, mark the row, remove the row."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from msgspec import Struct
from piccolo.columns import Column

from libs.contracts.enums import ImageStatus, JobStatus, Retention
from libs.storage import webhook_outbox
from libs.storage.database.connection import transaction
from libs.storage.database.engine import rows
from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import Image, Job, SetAside, now
from libs.storage.jobs import UNFINISHED


class DeletingImage(Struct, frozen=True, kw_only=True):
    """An image marked for deletion whose object and row still exist."""

    id: UUID
    object_key: str
    owner: str  # username


async def note_download(image: Image, *, downloaded_s: float) -> None:
    """Let an ephemeral image and its expiry group expire in `downloaded_s`, on their first download only.

    The row that gives the group its id is updated first: a job that adds a result to the group locks that
    row, so either the job sees this download or the second statement sees the job's result.
    """
    if image.retention != Retention.EPHEMERAL or image.first_downloaded_at is not None:
        return
    moment = now()
    values = {
        "moment": moment,
        "expires_at": moment + timedelta(seconds=downloaded_s),
        "group": image.expiry_group,
    }
    async with transaction():
        await _DOWNLOADED_FIRST(**values)
        await _DOWNLOADED(**values)


async def mark_deleting(image_id: UUID) -> list[UUID]:
    """Hide an image for good and cancel its unfinished jobs; return the ids of the jobs cancelled."""
    async with transaction():
        await Image.update({Image.status: ImageStatus.DELETING}).where(Image.id == image_id)
        cancelled = await (
            Job.update({Job.status: JobStatus.CANCELLED, Job.finished_at: now()})
            .where((Job.image == image_id) & Job.status.is_in(UNFINISHED))
            .returning(Job.id)
        )
    return [row["id"] for row in cancelled]


async def mark_expired(limit: int) -> int:
    """Mark expired images for deletion, except those with an unfinished job; return how many."""
    if not await _ANY_EXPIRED(now=now()):
        return 0
    busy = cast("Any", Job.select(Job.image).where(Job.status.is_in(UNFINISHED) & Job.image.is_not_null()))
    expired = cast(
        "Any",
        Image.select(Image.id)
        .where((Image.expires_at <= now()) & (Image.status != ImageStatus.DELETING) & Image.id.not_in(busy))
        .limit(limit),
    )
    async with transaction():
        marked: list[dict[str, Any]] = await (
            Image.update({Image.status: ImageStatus.DELETING})
            .where(Image.id.is_in(expired) & (Image.status != ImageStatus.DELETING))
            .returning(Image.id)
        )
        await webhook_outbox.add_images_expired([row["id"] for row in marked])
    return len(marked)


async def list_deleting(limit: int, *, only: UUID | None = None) -> list[DeletingImage]:
    """Return images that are marked for deletion, oldest first; those set aside are left out until due."""
    if not await _ANY_DELETING():
        return []
    conditions: list[Any] = [Image.status == ImageStatus.DELETING]
    if only is not None:
        conditions.append(Image.id == only)
    else:
        waiting = cast("Any", SetAside.select(SetAside.id).where(SetAside.retry_at > now()))
        conditions.append(Image.id.not_in(waiting))
    found = await (
        Image.select(Image.id, Image.object_key, Image.owner.username.as_alias("owner"))
        .where(*conditions)
        .order_by(Image.id)
        .limit(limit)
    )
    return [DeletingImage(**row) for row in found]


async def delete_rows(image_ids: Sequence[UUID]) -> list[UUID]:
    """Delete the rows of images whose objects are gone; return the ids of those this call deleted."""
    if not image_ids:
        return []
    deleted = await rows(
        Image.delete()
        .where(Image.id.is_in(list(image_ids)) & (Image.status == ImageStatus.DELETING))
        .returning(Image.id)
    )
    return [row["id"] for row in deleted]


_DOWNLOAD: dict[Column | str, Any] = {
    Image.first_downloaded_at: Slot("moment"),
    Image.expires_at: Slot("expires_at"),
}
_NOT_DOWNLOADED = Image.first_downloaded_at.is_null() & (Image.retention == Retention.EPHEMERAL)
_DOWNLOADED_FIRST = Statement(
    cast("Any", Image.update(_DOWNLOAD).where(_NOT_DOWNLOADED & (Image.id == Slot("group")))), quick=True
)
_DOWNLOADED = Statement(
    cast("Any", Image.update(_DOWNLOAD).where(_NOT_DOWNLOADED & (Image.expiry_group == Slot("group")))),
    quick=True,
)
# These run every second, and there is rarely something to do. Their conditions are those of partial indexes.
_ANY_EXPIRED = Statement(
    Image.raw(
        "select 1 from image where expires_at <= {} and expires_at is not null and status <> 'deleting'"
        " limit 1",
        Slot("now"),
    ),
    quick=True,
)
_ANY_DELETING = Statement(Image.raw("select 1 from image where status = 'deleting' limit 1"), quick=True)
