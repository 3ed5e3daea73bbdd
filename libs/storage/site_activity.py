"""What happens on the whole site, for operators: queues, failures, the last hour, what is stored.

All of it is read from rows, so it is the same in every process and after a restart.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from libs.contracts.enums import JobStatus
from libs.storage.database import piccolo_conf
from libs.storage.database.engine import rows
from libs.storage.database.postgres import PooledPostgres
from libs.storage.database.tables import Image, Job, first_id_since, now

MINUTES = 60  # of the series
MINUTE_S = 60
FAILURES_SINCE = timedelta(days=1)
CODES = 20  # error codes shown, the most frequent ones

# Each part reads the rows of one partial index: job_due and job_held.
_QUEUES = """
select kind, priority,
  sum(case when status = 'queued' and held = false then 1 else 0 end) as waiting,
  sum(case when held = true then 1 else 0 end) as held,
  sum(case when status = 'running' then 1 else 0 end) as running,
  min(case when status = 'queued' and held = false then created_at end) as oldest
from (
  select kind, priority, status, held, created_at from job
  where held = false and status in ('queued', 'running')
  union all
  select kind, priority, status, held, created_at from job where status = 'queued' and held = true
) as unfinished group by kind, priority order by kind, priority
"""
_FAILURES = """
select error_code, count(*) as jobs from job INDEXED
where status = 'failed' and finished_at > {}
group by error_code order by count(*) desc, error_code limit {}
"""
_ENDED = """
select MINUTE(finished_at) as minute, status, count(*) as jobs from job
where finished_at is not null and finished_at >= {} group by 1, 2
"""
_MADE = "select MINUTE(created_at) as minute, count(*) as jobs from job where id >= {} group by 1"
# The inner query groups in the order of the index image_bytes_of_owner, which has all its columns: no row is
# read, and nothing is sorted but a few sums of each account. Images that are being deleted are few.
_STORED = """
select status, retention, sum(images) as images, sum(bytes) as bytes from (
  select owner, status, retention, count(*) as images, sum(size_bytes) as bytes
  from image INDEXED where status <> 'deleting' group by owner, status, retention
  union all
  select owner, status, retention, count(*) as images, sum(size_bytes) as bytes
  from image where status = 'deleting' group by owner, status, retention
) as of_accounts group by status, retention order by status, retention
"""
_TOTALS = """
select
  (select count(*) from piccolo_user where active) as accounts,
  (select count(*) from batch where status in ('Pending', 'In Process')) as open_batches,
  (select count(*) from webhook_delivery where finished_at is null) as pending_deliveries,
  (select count(*) from webhook_delivery where status = 'failed') as failed_deliveries,
  (select count(*) from set_aside) as set_aside,
  (select coalesce(sum(size_bytes), 0) from rendition) as rendition_bytes
"""


class Queue(Struct, frozen=True, kw_only=True):
    """Jobs of one kind and priority that have not ended."""

    kind: str
    priority: str
    waiting: int
    held: int  # by the throttle of their host
    running: int
    oldest: datetime | None  # when the oldest that waits was requested


class Failures(Struct, frozen=True, kw_only=True):
    """Jobs that failed lately with one error code."""

    error_code: str
    jobs: int


class Stored(Struct, frozen=True, kw_only=True):
    """Images of one status and retention."""

    status: str
    retention: str
    images: int
    bytes: int


class Minute(Struct, frozen=True, kw_only=True):
    """One minute of the site: jobs that were requested and that ended, and those unfinished at its end."""

    at: datetime
    requested: int
    completed: int
    failed: int
    unfinished: int


class Totals(Struct, frozen=True, kw_only=True):
    """Counts of other rows."""

    accounts: int
    open_batches: int
    pending_deliveries: int
    failed_deliveries: int
    set_aside: int
    rendition_bytes: int


async def queues() -> list[Queue]:
    """Return the queues that have jobs."""
    found = await rows(Job.raw(_QUEUES))
    return [
        Queue(
            kind=row["kind"],
            priority=row["priority"],
            waiting=int(row["waiting"]),
            held=int(row["held"]),
            running=int(row["running"]),
            oldest=_moment(row["oldest"]),
        )
        for row in found
    ]


async def failures() -> list[Failures]:
    """Return the most frequent errors of jobs that failed within the last day."""
    since = now() - FAILURES_SINCE
    hint = "" if _on_postgres() else "indexed by job_failed"  # SQLite prefers job_finished
    found = await rows(Job.raw(_FAILURES.replace("INDEXED", hint), since, CODES))
    return [Failures(error_code=row["error_code"] or "", jobs=row["jobs"]) for row in found]


async def last_hour(unfinished: int) -> list[Minute]:
    """Return the last `MINUTES` minutes, oldest first; `unfinished` is how many jobs are so now.

    Jobs whose rows were deleted since are missing.
    """
    last = int(now().timestamp()) // MINUTE_S
    first = last - MINUTES + 1
    since = datetime.fromtimestamp(first * MINUTE_S, now().tzinfo)
    requested: Counter[int] = Counter()
    ended: dict[str, Counter[int]] = {status: Counter() for status in JobStatus}
    for row in await rows(Job.raw(_in_minutes(_MADE), first_id_since(since))):
        requested[int(row["minute"])] += row["jobs"]
    for row in await rows(Job.raw(_in_minutes(_ENDED), since)):
        ended[row["status"]][int(row["minute"])] += row["jobs"]
    series: list[Minute] = []
    for minute in range(last, first - 1, -1):
        series.append(
            Minute(
                at=datetime.fromtimestamp(minute * MINUTE_S, now().tzinfo),
                requested=requested[minute],
                completed=ended[JobStatus.COMPLETED][minute],
                failed=ended[JobStatus.FAILED][minute],
                unfinished=unfinished,
            )
        )
        all_ended = sum(of_status[minute] for of_status in ended.values())
        unfinished = max(0, unfinished + all_ended - requested[minute])
    return series[::-1]


async def stored() -> list[Stored]:
    """Return how many images there are, and of which size; it reads an index of all of them."""
    hint = "" if _on_postgres() else "indexed by image_bytes_of_owner"
    return [
        Stored(
            status=row["status"],
            retention=row["retention"],
            images=int(row["images"]),
            bytes=int(row["bytes"]),
        )
        for row in await rows(Image.raw(_STORED.replace("INDEXED", hint)))
    ]


async def totals() -> Totals:
    """Return the counts of other rows."""
    [row] = await rows(Image.raw(_TOTALS))
    return Totals(**{name: int(value) for name, value in row.items()})


def _in_minutes(query: str) -> str:
    """Put in how the engine converts a time to minutes since 1970."""
    if _on_postgres():
        return query.replace("MINUTE(", "floor(extract(epoch from ").replace("_at)", "_at) / 60)")
    return query.replace("MINUTE(", "(cast(strftime('%s', ").replace("_at)", "_at) as integer) / 60)")


def _on_postgres() -> bool:
    return isinstance(piccolo_conf.DB, PooledPostgres)


def _moment(value: Any) -> datetime | None:  # noqa: ANN401 - SQLite gives the text of a time that it computed
    return datetime.fromisoformat(value) if isinstance(value, str) else value
