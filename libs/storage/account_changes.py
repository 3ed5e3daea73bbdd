"""The jobs and batches of accounts that are under way or new, for streams that show all of them.

Jobs of batches are left out: the counters of their batch stand for them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from libs.storage import batches, jobs
from libs.storage.database.tables import Batch, Job, first_id_since

ROWS_AT_ONCE = 2000  # of jobs, and of batches
LONGEST = timedelta(days=1)  # what has been under way for longer is not looked for among what ended


async def live_jobs(owners: Sequence[int], since: datetime) -> list[Job]:
    """Return the accounts' jobs that have not ended or were made since a moment, the newest first."""
    if not owners:
        return []
    mine = Job.owner.is_in(list(owners)) & Job.batch.is_null()
    # Two queries, since each has its index; an OR of both has none.
    unfinished = await _newest_jobs(mine, Job.status.is_in(jobs.UNFINISHED))
    recent = await _newest_jobs(mine, Job.id >= first_id_since(since))
    return list({job.id: job for job in (*unfinished, *recent)}.values())


async def live_batches(owners: Sequence[int], since: datetime) -> list[Batch]:
    """Return the accounts' batches that have not ended or were made since a moment."""
    if not owners:
        return []
    alive = Batch.status.is_in(batches.UNFINISHED) | (Batch.id >= first_id_since(since))
    query = Batch.objects().where(Batch.owner.is_in(list(owners)), alive)
    return await query.order_by(Batch.id, ascending=False).limit(ROWS_AT_ONCE)


async def jobs_ended(owner: int, since: datetime) -> list[Job]:
    """Return the account's jobs that ended since a moment, the newest first."""
    mine = (Job.owner == owner) & Job.batch.is_null() & (Job.id >= first_id_since(since - LONGEST))
    return await _newest_jobs(mine, Job.finished_at >= since)


async def batches_ended(owner: int, since: datetime) -> list[Batch]:
    """Return the account's batches that ended since a moment, the newest first."""
    query = Batch.objects().where((Batch.owner == owner) & (Batch.finished_at >= since))
    return await query.order_by(Batch.id, ascending=False).limit(ROWS_AT_ONCE)


async def _newest_jobs(*conditions: jobs.Condition) -> list[Job]:
    return await jobs.without_commands(*conditions, order_by=Job.id, ascending=False, limit=ROWS_AT_ONCE)
