"""What waits in the database: queued jobs, expired images, items that were set aside. For metrics."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from libs.contracts.enums import JobKind, Priority
from libs.storage.database.engine import rows
from libs.storage.database.tables import Image, Job, SetAside, now

MOST = 10_000  # jobs of one kind that are counted; more are as bad

# Both use the index of jobs that are not held. A job that waits for its next attempt is not claimable yet.
_QUEUED = """
select kind, priority, count(*) as jobs, min(coalesce(not_before, created_at)) as since from (
  select kind, priority, not_before, created_at from job
  where held = false and status in ('queued', 'running')
    and status = 'queued' and (not_before is null or not_before <= {}) limit {}
) as claimable group by kind, priority
"""
_EXPIRED = """
select expires_at from image where expires_at <= {} and expires_at is not null
  and id not in (select id from set_aside)
  and id not in (select image from job where status in ('queued', 'running') and image is not null)
order by expires_at limit 1
"""


class Queued(Struct, frozen=True, kw_only=True):
    """Jobs of one kind and priority that a worker could claim."""

    kind: JobKind
    priority: Priority
    jobs: int
    oldest_s: float


async def queued() -> list[Queued]:
    """Return how many jobs wait, by kind and priority, and since when; at most `MOST` jobs are counted."""
    moment = now()
    found = await rows(Job.raw(_QUEUED, moment, MOST))
    return [
        Queued(
            kind=JobKind(row["kind"]),
            priority=Priority(row["priority"]),
            jobs=row["jobs"],
            oldest_s=_age_s(row["since"], moment),
        )
        for row in found
    ]


async def expiry_lag_s() -> float:
    """Return since when the oldest expired image should be gone; 0 when none is there.

    Images that a job uses and those set aside do not count.
    """
    moment = now()
    oldest = await rows(Image.raw(_EXPIRED, moment))
    return _age_s(oldest[0]["expires_at"], moment) if oldest else 0.0


async def set_aside_by_kind() -> dict[str, int]:
    """Return how many items are set aside, of each kind that has any."""
    found: list[dict[str, Any]] = await rows(
        SetAside.raw("select kind, count(*) as items from set_aside group by kind")
    )
    return {row["kind"]: row["items"] for row in found}


def _age_s(since: datetime | str, moment: datetime) -> float:
    """Return the seconds since a time; SQLite gives the result of a function as text."""
    if isinstance(since, str):
        since = datetime.fromisoformat(since)
    return max(0.0, (moment - since).total_seconds())
