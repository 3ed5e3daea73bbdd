"""Counts over all accounts, for the admin pages."""

from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Struct

from libs.contracts.enums import ImageStatus, Retention
from libs.storage import set_aside, site_activity
from libs.storage.database.engine import rows
from libs.storage.database.tables import Image, Job, now

HOUR = timedelta(hours=1)
SET_ASIDE = 20  # items shown


class Queue(Struct, frozen=True, kw_only=True):
    """Jobs of one kind and priority that have not ended."""

    kind: str
    priority: str
    waiting: int
    running: int


class Failures(Struct, frozen=True, kw_only=True):
    """Jobs that failed within the last hour with one error code."""

    error_code: str | None
    jobs: int


class Counts(Struct, frozen=True, kw_only=True):
    """Totals of the site."""

    images: int
    stored_bytes: int
    ephemeral: int
    accounts: int
    batches: int
    open_batches: int
    pending_deliveries: int
    failed_deliveries: int
    completed_jobs: int  # within the last hour
    set_aside: int


class Overview(Struct, frozen=True, kw_only=True):
    """Totals, queues, recent failures, and what was set aside."""

    counts: Counts
    queues: list[Queue]
    failures: list[Failures]
    set_aside: list[set_aside.Item]  # the oldest


_COUNTS = """
select
  (select count(*) from piccolo_user where active) as accounts,
  (select count(*) from batch) as batches,
  (select count(*) from batch where status in ('Pending', 'In Process')) as open_batches,
  (select count(*) from webhook_delivery where status = 'pending') as pending_deliveries,
  (select count(*) from webhook_delivery where status = 'failed') as failed_deliveries,
  (select count(*) from job where status = 'completed' and finished_at > {}) as completed_jobs,
  (select count(*) from set_aside) as set_aside
"""
_QUEUES = """
select kind, priority, sum(case when status = 'queued' then 1 else 0 end) as waiting,
  sum(case when status = 'running' then 1 else 0 end) as running
from job where status in ('queued', 'running') group by kind, priority order by kind, priority
"""
_FAILURES = """
select error_code, count(*) as jobs from job where status = 'failed' and finished_at > {}
group by error_code order by count(*) desc, error_code
"""


async def read() -> Overview:
    """Return the current counts of the whole site."""
    since = now() - HOUR
    [counts] = await rows(Image.raw(_COUNTS, since))
    stored = [one for one in await site_activity.stored() if one.status != ImageStatus.DELETING]
    images = {
        "images": sum(one.images for one in stored),
        "stored_bytes": sum(one.bytes for one in stored),
        "ephemeral": sum(one.images for one in stored if one.retention == Retention.EPHEMERAL),
    }
    return Overview(
        counts=_convert(counts | images, Counts),
        queues=[_convert(row, Queue) for row in await rows(Job.raw(_QUEUES))],
        failures=[_convert(row, Failures) for row in await rows(Job.raw(_FAILURES, since))],
        set_aside=await set_aside.oldest(SET_ASIDE),
    )


def _convert(row: dict[str, Any], kind: Any) -> Any:  # noqa: ANN401
    """Convert a row to a Struct; sums on PostgreSQL are decimals."""
    values = {name: value if isinstance(value, str | None) else int(value) for name, value in row.items()}
    return msgspec.convert(values, kind)
