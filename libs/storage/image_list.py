"""Pages of an owner's images, filtered."""

from datetime import datetime
from typing import Any, TypeAlias, cast
from uuid import UUID

from msgspec import Struct
from piccolo.columns.combination import And, Where, WhereRaw

from libs.contracts.enums import ImageStatus
from libs.storage.database.engine import rows
from libs.storage.database.statement import loaded
from libs.storage.database.tables import Image
from libs.storage.images import SHOWN

Condition: TypeAlias = And | Where | WhereRaw

_NEWEST_JOB_STATUS = (
    "coalesce((select j.status from job j where j.image = image.id order by j.id desc limit 1), 'completed')"
)
_JOB_STATUSES = {
    "pending": "('queued')",
    "processing": "('running')",
    "completed": "('completed', 'cancelled')",
    "failed": "('failed')",
}


class Filter(Struct, frozen=True, kw_only=True):
    """Which of an owner's images to list; None matches every image."""

    status: str | None = None  # of the newest job: a key of `_JOB_STATUSES`
    format: str | None = None
    md5: str | None = None
    parent: UUID | None = None
    created_after: datetime | None = None  # inclusive
    created_before: datetime | None = None  # exclusive


async def page(owner: int, filtered_by: Filter, *, limit: int, after: UUID | None) -> tuple[list[Image], int]:
    """Return at most `limit` images, newest first, older than the image `after`, and the total that match.

    They come without their metadata.
    """
    conditions = [Image.owner == owner, Image.status != ImageStatus.DELETING, *_conditions(filtered_by)]
    total = cast("int", await Image.count().where(*conditions))
    if after is not None:
        conditions.append(Image.id < after)
    newest = cast("Any", Image).select(*SHOWN).where(*conditions).order_by(Image.id, ascending=False)
    return [loaded(Image, row) for row in await rows(newest.limit(limit))], total


def _conditions(filtered_by: Filter) -> list[Condition]:
    conditions: list[Condition] = []
    if filtered_by.status is not None:
        conditions.append(WhereRaw(f"{_NEWEST_JOB_STATUS} in {_JOB_STATUSES[filtered_by.status]}"))
    if filtered_by.format is not None:
        conditions.append(Image.format == filtered_by.format)
    if filtered_by.md5 is not None:
        conditions.append(Image.md5 == filtered_by.md5.lower())
    if filtered_by.parent is not None:
        conditions.append(Image.parent == filtered_by.parent)
    if filtered_by.created_after is not None:
        conditions.append(Image.created_at >= filtered_by.created_after)
    if filtered_by.created_before is not None:
        conditions.append(Image.created_at < filtered_by.created_before)
    return conditions
