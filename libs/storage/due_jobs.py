"""Functions over jobs as the sweep sees them: publish those that are due, end those whose worker is lost."""

from datetime import datetime, timedelta
from uuid import UUID

from piccolo.columns.combination import WhereRaw

from libs.contracts.enums import JobStatus
from libs.contracts.events import BatchCompleted
from libs.storage import job_timeline, jobs
from libs.storage.batch_counters import ItemResult
from libs.storage.database.connection import transaction
from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import Job, now
from libs.storage.job_ends import record_end
from libs.storage.job_failure import Failure

# The text must equal the index condition: SQLite compares texts.
NOT_HELD_SQL = "held = false and status in ('queued', 'running')"
NOT_HELD = WhereRaw(NOT_HELD_SQL)

# It runs every second, and there is rarely something to do.
_ANY_DUE = Statement(
    Job.raw(
        f"select 1 from job where publish_at <= {{}} and {NOT_HELD_SQL}"  # noqa: S608
        " and (status = 'queued' or lease_until < {}) limit 1",
        Slot("now"),
        Slot("now"),
    ),
    quick=True,
)


async def publish_soon(job_id: UUID) -> None:
    """Let the next sweep publish a job whose message the broker did not take."""
    await Job.update({Job.publish_at: now()}).where((Job.id == job_id) & (Job.status == JobStatus.QUEUED))


async def publish_all_soon() -> None:
    """End all leases and let the next sweep publish every job: for a start with an empty broker.

    Call it only when no other process uses this database.
    """
    moment = now()
    of_batch = Job.host.is_not_null()
    await Job.update({Job.lease_until: moment}).where(Job.status == JobStatus.RUNNING)
    await Job.update({Job.held: True}).where((Job.status == JobStatus.QUEUED) & of_batch)
    await Job.update({Job.publish_at: moment}).where(Job.status.is_in(jobs.UNFINISHED) & (Job.held == False))  # noqa: E712


async def take_due(limit: int) -> list[Job]:
    """Return queued jobs that are due and running jobs whose lease ran out, each to one caller only.

    They come without their commands. Jobs that a throttle holds are left to it. A later call returns a job
    again once its message had time to be worked on: longer, the older the job is.
    """
    moment = now()
    if not await _ANY_DUE(now=moment):
        return []
    lapsed = (Job.status == JobStatus.RUNNING) & (Job.lease_until < moment)
    due = (Job.publish_at <= moment) & ((Job.status == JobStatus.QUEUED) | lapsed) & NOT_HELD
    found = await jobs.without_commands(due, order_by=Job.publish_at, limit=limit)
    return [job for job in found if await _push_back(job, moment)]


async def _push_back(job: Job, moment: datetime) -> bool:
    patience_s = max(jobs.REPUBLISH_S, (moment - job.created_at).total_seconds())
    mine = await (
        Job.update(
            {
                Job.publish_at: moment + timedelta(seconds=patience_s),
                Job.timeline: job_timeline.appended(job_timeline.line("published")),
            }
        )
        .where((Job.id == job.id) & (Job.publish_at == job.publish_at) & Job.status.is_in(jobs.UNFINISHED))
        .returning(Job.id)
    )
    return bool(mine)


async def give_up(job: Job, failure: Failure) -> tuple[bool, BatchCompleted | None]:
    """Fail a job whose every attempt was lost with its worker.

    Return whether it was still running, and its batch if this was the batch's last job.
    """
    completed = None
    async with transaction():
        ended = await (
            Job.update(
                {
                    Job.status: JobStatus.FAILED,
                    Job.finished_at: now(),
                    Job.error_code: failure.code,
                    Job.error: failure.detail,
                    Job.timeline: job_timeline.appended(job_timeline.line("failed", failure)),
                }
            )
            .where(
                (Job.id == job.id)
                & (Job.status == JobStatus.RUNNING)
                & (Job.attempts == job.attempts)
                & (Job.lease_until < now())
            )
            .returning(Job.id)
        )
        if ended:
            completed = await record_end(job.id, job.batch, result=ItemResult(failure=failure))
    return bool(ended), completed
