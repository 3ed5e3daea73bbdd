"""Functions over jobs, as those who ask for them and the sweep see them; one statement decides each race."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any, ClassVar, Literal, cast
from uuid import UUID

from piccolo.columns.combination import WhereRaw

from libs.contracts.commands import AnyCommand, DescribeImage, EditImage, IngestImage, TransformImage, encode
from libs.contracts.enums import JobKind, JobStatus, Priority
from libs.contracts.events import BatchCompleted
from libs.storage import batch_counters, webhook_outbox
from libs.storage.batch_counters import BatchShare
from libs.storage.database.connection import transaction
from libs.storage.database.engine import rows
from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import Job, first_id_since, now
from libs.storage.job_failure import CANCELLED, Failure

UNFINISHED = [JobStatus.QUEUED, JobStatus.RUNNING]
# As the index has it, word for word: SQLite compares texts.
NOT_HELD = WhereRaw("held = false and status in ('queued', 'running')")
# How long a published message may take before it counts as lost; it doubles with the job's age.
REPUBLISH_S = 15.0
SAMPLE = 20  # jobs whose time tells how long the next will take
FIRST_GUESS_S = 5.0
RECENT = timedelta(minutes=15)

NEWEST = """
select id from (
  select id, result, row_number() over (partition by image order by id desc) as nth,
    row_number() over (partition by image, result is not null order by id desc) as nth_alike
  from job where image in (IMAGES)
) as ranked where nth = 1 or (result is not null and nth_alike = 1)
"""
KINDS: dict[type[AnyCommand], JobKind] = {
    TransformImage: JobKind.TRANSFORM,
    DescribeImage: JobKind.DESCRIBE,
    IngestImage: JobKind.INGEST,
    EditImage: JobKind.EDIT,
}

_OWNED = Statement(Job.objects().where((Job.id == Slot("job_id")) & (Job.owner == Slot("owner"))))


class JobError(Exception):
    """A request about a job cannot be fulfilled."""

    code = "job_error"
    outcome: ClassVar[Literal["transient", "permanent", "refused"]] = "refused"


class JobNotFound(JobError):
    """The job does not exist, or belongs to another account."""

    code = "job_not_found"


class JobEndedAlready(JobError):
    """The job has ended already and cannot be cancelled."""

    code = "job_ended"


class JobNotFailed(JobError):
    """Only a failed job can be run again."""

    code = "job_not_failed"


class TooManyJobs(JobError):
    """The account has reached its limit of unfinished jobs."""

    code = "too_many_jobs"


def new(
    message: AnyCommand,
    *,
    owner: int,
    priority: Priority,
    request_id: str | None,
    webhook_url: str | None = None,
) -> Job:
    """A queued job that carries its whole command; not stored yet."""
    moment = now()
    return Job(
        id=message.job_id,
        owner=owner,
        kind=KINDS[type(message)],
        image=source_of(message),
        command=encode(message).decode(),
        priority=priority,
        run_after=moment + timedelta(seconds=REPUBLISH_S),
        request_id=request_id,
        webhook_url=webhook_url,
        created_at=moment,
    )


def source_of(message: AnyCommand) -> UUID | None:
    """The stored image that a job starts from, if it starts from one."""
    return None if message.source is None else message.source.image_id


async def owned_by(owner: int, job_id: UUID) -> Job:
    """The owner's job.

    Raises:
        JobNotFound: There is none, or it is another's.
    """
    job = await _OWNED.first(Job, owner=owner, job_id=job_id)
    if job is None:
        raise JobNotFound(f"there is no job {job_id}")
    return job


async def page(
    owner: int, *, status: str | None, kind: str | None, image: UUID | None, limit: int, after: UUID | None
) -> tuple[list[Job], int]:
    """At most `limit` jobs, newest first, older than the job `after`; and how many match in all."""
    conditions = [Job.owner == owner]
    for column, value in ((Job.status, status), (Job.kind, kind), (Job.image, image)):
        if value is not None:
            conditions.append(column == value)
    total = cast("int", await Job.count().where(*conditions))
    if after is not None:
        conditions.append(Job.id < after)
    return await Job.objects().where(*conditions).order_by(Job.id, ascending=False).limit(limit), total


async def newest_of(image_ids: Sequence[UUID]) -> list[Job]:
    """Of each image its newest job, and the newest that has a result: at most two, newest first."""
    if not image_ids:
        return []
    query = NEWEST.replace("IMAGES", ", ".join(["{}"] * len(image_ids)))
    ids = [row["id"] for row in await rows(Job.raw(query, *image_ids))]
    return await Job.objects().where(Job.id.is_in(ids)).order_by(Job.id, ascending=False) if ids else []


async def typical_s(kind: str) -> float:
    """How long the newest jobs of a kind took from being asked for to their end, in seconds.

    Only recent ones are looked at: the primary key finds them, however many rows there are.
    """
    recent = first_id_since(now() - RECENT)
    ended = await (
        Job.select(Job.created_at, Job.finished_at)
        .where((Job.id >= recent) & (Job.kind == kind) & (Job.status == JobStatus.COMPLETED))
        .order_by(Job.id, ascending=False)
        .limit(SAMPLE)
    )
    took = [(job["finished_at"] - job["created_at"]).total_seconds() for job in ended]
    return median(took) if took else FIRST_GUESS_S


async def describing(image_id: UUID) -> Job | None:
    """The job that is about to describe an image, if there is one."""
    return await (
        Job.objects()
        .where((Job.image == image_id) & (Job.kind == JobKind.DESCRIBE) & Job.status.is_in(UNFINISHED))
        .first()
    )


async def cancel(owner: int, job_id: UUID) -> tuple[Job, BatchCompleted | None]:
    """End a job that nobody wants any more; a worker that runs it notices and stops.

    The batch whose last job this was comes back too: there, its items have failed.

    Raises:
        JobNotFound: There is none, or it is another's.
        JobEndedAlready: It has ended.
    """
    completed = None
    async with transaction():
        cancelled: list[dict[str, Any]] = await (
            Job.update({Job.status: JobStatus.CANCELLED, Job.finished_at: now()})
            .where((Job.id == job_id) & (Job.owner == owner) & Job.status.is_in(UNFINISHED))
            .returning(Job.batch)
        )
        if cancelled and cancelled[0]["batch"] is not None:
            completed = await batch_counters.count(
                cancelled[0]["batch"], job_id, BatchShare(failure=CANCELLED)
            )
    job = await owned_by(owner, job_id)
    if not cancelled:
        raise JobEndedAlready(f"job {job_id} is {job.status} already")
    return job, completed


async def retry(job_id: UUID) -> Job:
    """Queue a failed job again. Attempts go on being counted: one that used up all gets one more.

    Raises:
        JobNotFound: There is none.
        JobNotFailed: It has not failed; or it is one of a batch, whose counts it would upset.
    """
    moment = now()
    again = await (
        Job.update(
            {
                Job.status: JobStatus.QUEUED,
                Job.run_after: moment + timedelta(seconds=REPUBLISH_S),
                Job.worker: None,
                Job.error_code: None,
                Job.error: None,
                Job.started_at: None,
                Job.finished_at: None,
            }
        )
        .where((Job.id == job_id) & (Job.status == JobStatus.FAILED) & Job.batch.is_null())
        .returning(Job.id)
    )
    job = await Job.objects().where(Job.id == job_id).first()
    if job is None:
        raise JobNotFound(f"there is no job {job_id}")
    if not again:
        of_batch = "" if job.batch is None else f" and one of batch {job.batch}: retry that"
        raise JobNotFailed(f"job {job_id} is {job.status}{of_batch}")
    return job


async def publish_soon(job_id: UUID) -> None:
    """Let the next sweep publish a job whose message did not get out."""
    await Job.update({Job.run_after: now()}).where((Job.id == job_id) & (Job.status == JobStatus.QUEUED))


async def publish_all_soon() -> None:
    """End all leases, and let the next sweep publish everything: for a start with an empty broker.

    Only for a process that knows that no other works this database.
    """
    moment = now()
    of_batch = Job.host.is_not_null()
    await Job.update({Job.lease_until: moment}).where(Job.status == JobStatus.RUNNING)
    await Job.update({Job.held: True}).where((Job.status == JobStatus.QUEUED) & of_batch)
    await Job.update({Job.run_after: moment}).where(Job.status.is_in(UNFINISHED) & (Job.held == False))  # noqa: E712


async def take_due(limit: int) -> list[Job]:
    """Queued jobs that are due and running ones whose lease ran out, each given to one caller only.

    Those that are parked are left to `feeding`. The next call finds them again once a published message has
    had its time: longer, the older the job.
    """
    moment = now()
    lapsed = (Job.status == JobStatus.RUNNING) & (Job.lease_until < moment)
    due = (Job.run_after <= moment) & ((Job.status == JobStatus.QUEUED) | lapsed) & NOT_HELD
    found = await Job.objects().where(due).order_by(Job.run_after).limit(limit)
    return [job for job in found if await _push_back(job, moment)]


async def _push_back(job: Job, moment: datetime) -> bool:
    patience_s = max(REPUBLISH_S, (moment - job.created_at).total_seconds())
    mine = await (
        Job.update({Job.run_after: moment + timedelta(seconds=patience_s)})
        .where((Job.id == job.id) & (Job.run_after == job.run_after) & Job.status.is_in(UNFINISHED))
        .returning(Job.id)
    )
    return bool(mine)


async def give_up(job: Job, failure: Failure) -> tuple[bool, BatchCompleted | None]:
    """End a job whose every attempt was lost with its worker; False when it moved on meanwhile.

    The batch whose last job this was comes back too.
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
        if ended and job.batch is not None:
            completed = await batch_counters.count(job.batch, job.id, BatchShare(failure=failure))
        elif ended:
            await webhook_outbox.of_job(job.id)
    return bool(ended), completed
