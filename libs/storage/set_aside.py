"""Functions over items that a loop has set aside: each keeps failing although the backends work.

Such an item must not hold up the others. It is tried again after growing pauses until it succeeds, and
operators see it with its reason.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from libs.contracts.enums import JobStatus
from libs.contracts.outcome import Outcome
from libs.storage.database.engine import rows
from libs.storage.database.tables import Job, SetAside, now


class ItemNotFound(Exception):
    """No item of this id is set aside: it has succeeded, or its record is gone."""

    code = "set_aside_not_found"
    outcome: ClassVar[Outcome] = "refused"


Kind: TypeAlias = Literal["image", "job", "reply"]
"""What could not be done: remove an image, publish or give up a job, send the reply to an order."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 15.0, 3600.0
MAX_REASON = 500  # characters

RESOLVED = """
delete from set_aside where (kind = 'image' and id not in (select id from image))
  or (kind = 'job' and id not in (select id from job where status in ('queued', 'running')))
  or (kind = 'reply' and id not in (select submission from reply)) returning id
"""


class Item(Struct, frozen=True, kw_only=True):
    """An item that was set aside."""

    id: UUID
    kind: str
    reason: str
    attempts: int
    retry_at: datetime
    created_at: datetime


async def put(kind: Kind, reasons: Mapping[UUID, str]) -> None:
    """Set items aside, each with its reason; the pause doubles each time."""
    if not reasons:
        return
    moment = now()
    known = {
        item.id: item.attempts for item in await SetAside.objects().where(SetAside.id.is_in(list(reasons)))
    }
    items = [
        SetAside(
            id=item,
            kind=kind,
            reason=reason[:MAX_REASON],
            attempts=known.get(item, 0) + 1,
            retry_at=moment + timedelta(seconds=pause_s(known.get(item, 0) + 1)),
            created_at=moment,
        )
        for item, reason in reasons.items()
    ]
    await SetAside.insert(*items).on_conflict(
        target=SetAside.id,
        action="DO UPDATE",
        values=[SetAside.reason, SetAside.attempts, SetAside.retry_at],
    )


def pause_s(attempts: int) -> float:
    """Return the pause after `attempts` failures, in seconds."""
    return min(FIRST_PAUSE_S * 2 ** min(attempts - 1, 16), LONGEST_PAUSE_S)


async def remove(items: Sequence[UUID]) -> None:
    """Remove items that have succeeded."""
    if items:
        await SetAside.delete().where(SetAside.id.is_in(list(items)))


async def oldest(limit: int) -> list[Item]:
    """Return the items that were set aside first."""
    found = await SetAside.select().order_by(SetAside.created_at).limit(limit)
    return [Item(**row) for row in found]


async def retry_now(item: UUID) -> Item:
    """Let an item be tried again at the next opportunity; it stays in the list until it succeeds.

    Raises:
        ItemNotFound: It is not set aside.
    """
    moment = now()
    await SetAside.update({SetAside.retry_at: moment}).where(SetAside.id == item)
    found = await SetAside.select().where(SetAside.id == item)
    if not found:
        raise ItemNotFound(f"there is no item {item}")
    if found[0]["kind"] == "job":  # the sweep goes by this
        unfinished = Job.status.is_in([JobStatus.QUEUED, JobStatus.RUNNING])
        await Job.update({Job.publish_at: moment}).where((Job.id == item) & unfinished)
    return Item(**found[0])


async def purge() -> int:
    """Delete the rows of items that no longer exist or have ended; return how many."""
    return len(await rows(SetAside.raw(RESOLVED)))
