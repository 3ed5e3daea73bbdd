"""Functions over jobs: one statement decides each race.

A job is claimed under a lease with a growing attempt number; whatever a worker writes afterwards names worker
and attempt, so that one who lost the lease writes nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from msgspec import Struct
from piccolo.columns.combination import And

from libs.contracts.messages import AnyMessage, DescribeImage, IngestImage, TransformImage, encode
from libs.contracts.words import ImageStatus, JobKind, JobStatus, Priority
from libs.storage.database import transaction
from libs.storage.engine import rows
from libs.storage.tables import Image, Job, now

UNFINISHED = [JobStatus.QUEUED, JobStatus.RUNNING]
REPUBLISH_S = (
    15.0  # how long a published message may take before it counts as lost; doubles with the job's age
)


NEWEST = """
select id from (
  select id, result, row_number() over (partition by image order by id desc) as nth,
    row_number() over (partition by image, result is not null order by id desc) as nth_alike
  from job where image in (IMAGES)
) as ranked where nth = 1 or (result is not null and nth_alike = 1)
"""
KINDS: dict[type[AnyMessage], JobKind] = {
    TransformImage: JobKind.TRANSFORM,
    DescribeImage: JobKind.DESCRIBE,
    IngestImage: JobKind.INGEST,
}
NO_ERROR: dict[Any, Any] = {Job.error_code: None, Job.error: None}


class JobError(Exception):
    """A request about a job that cannot be met."""

    code = "job_error"


class JobNotFound(JobError):
    """There is no such job, or it is somebody else's."""

    code = "job_not_found"


class JobEndedAlready(JobError):
    """The job has come to its end and cannot be cancelled."""

    code = "job_ended"


class TooManyJobs(JobError):
    """The account has as many unfinished jobs as it may."""

    code = "too_many_jobs"


class LostLease(Exception):
    """Somebody else holds the job now, or it was cancelled; nothing was written."""


class Claim(Struct, frozen=True, kw_only=True):
    """A job as its worker holds it."""

    job_id: UUID
    worker: str
    attempt: int
    owner: int
    kind: JobKind
    command: str
    image: UUID | None
    request_id: str | None
    created_at: datetime


class Failure(Struct, frozen=True):
    """Why a job did not succeed."""

    code: str
    detail: str


def new(message: AnyMessage, *, owner: int, priority: Priority, request_id: str | None) -> Job:
    """A queued job that carries its whole command; not stored yet."""
    moment = now()
    return Job(
        id=message.job_id,
        owner=owner,
        kind=KINDS[type(message)],
        image=None if isinstance(message, IngestImage) else message.source.image_id,
        command=encode(message).decode(),
        priority=priority,
        run_after=moment + timedelta(seconds=REPUBLISH_S),
        request_id=request_id,
        created_at=moment,
    )


async def owned_by(owner: int, job_id: UUID) -> Job:
    """The owner's job.

    Raises:
        JobNotFound: There is none, or it is another's.
    """
    job = await Job.objects().where((Job.id == job_id) & (Job.owner == owner)).first()
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


async def describing(image_id: UUID) -> Job | None:
    """The job that is about to describe an image, if there is one."""
    return await (
        Job.objects()
        .where((Job.image == image_id) & (Job.kind == JobKind.DESCRIBE) & Job.status.is_in(UNFINISHED))
        .first()
    )


async def claim(job_id: UUID, *, worker: str, lease_s: float, max_attempts: int) -> Claim | None:
    """Take a job that is queued, or whose last worker's lease ran out; None when it is not to be had."""
    moment = now()
    free = (Job.status == JobStatus.QUEUED) | (
        (Job.status == JobStatus.RUNNING) & (Job.lease_until < moment) & (Job.attempts < max_attempts)
    )
    taken = await (
        Job.update(
            {
                Job.status: JobStatus.RUNNING,
                Job.worker: worker,
                Job.attempts: Job.attempts + 1,
                Job.lease_until: moment + timedelta(seconds=lease_s),
                Job.run_after: moment,
                Job.started_at: moment,
            }
        )
        .where((Job.id == job_id) & free)
        .returning(Job.attempts, Job.owner, Job.kind, Job.command, Job.image, Job.request_id, Job.created_at)
    )
    if not taken:
        return None
    row = taken[0]
    attempt = row.pop("attempts")
    return Claim(job_id=job_id, worker=worker, attempt=attempt, **row)


async def extend(claim: Claim, *, lease_s: float) -> bool:
    """Keep the lease; False when the job is not this worker's any more."""
    kept = await (
        Job.update({Job.lease_until: now() + timedelta(seconds=lease_s)})
        .where(_held(claim))
        .returning(Job.id)
    )
    return bool(kept)


async def ended_by(claim: Claim) -> bool:
    """Whether this very claim brought the job to its end."""
    return await Job.exists().where(
        (Job.id == claim.job_id)
        & (Job.worker == claim.worker)
        & (Job.attempts == claim.attempt)
        & Job.status.is_in([JobStatus.COMPLETED, JobStatus.FAILED])
    )


async def complete_transform(
    claim: Claim,
    source: UUID,
    result: Image,
    *,
    followed_by: Job | None,
    shares_clock: bool,
    downloaded_s: float,
) -> None:
    """End the job with its one result, and queue the job that follows on it, in one transaction.

    Raises:
        LostLease: The job is somebody else's by now.
    """
    async with transaction():
        # First the source's row: whoever downloads it at this moment waits here or is seen here.
        rows = await (
            Image.update({Image.status: ImageStatus.READY, Image.updated_at: now()})
            .where((Image.id == source) & (Image.status != ImageStatus.DELETING))
            .returning(Image.first_downloaded_at, Image.expires_at)
        )
        if rows and shares_clock and rows[0]["first_downloaded_at"] is not None:
            result.first_downloaded_at = rows[0]["first_downloaded_at"]
            result.expires_at = max(rows[0]["expires_at"], now() + timedelta(seconds=downloaded_s))
        elif rows and shares_clock and rows[0]["expires_at"] is not None:
            result.expires_at = rows[0]["expires_at"]
        await result.save()
        if followed_by is not None:
            await followed_by.save()
        await end(claim, {Job.status: JobStatus.COMPLETED, Job.result: result.id, **NO_ERROR})


async def complete_describe(claim: Claim, source: UUID, values: dict[Any, Any]) -> None:
    """End the job with what it learnt of its image, in one transaction.

    Raises:
        LostLease: The job is somebody else's by now.
    """
    async with transaction():
        await Image.update({**values, Image.status: ImageStatus.READY, Image.updated_at: now()}).where(
            (Image.id == source) & (Image.status != ImageStatus.DELETING)
        )
        await end(claim, {Job.status: JobStatus.COMPLETED, **NO_ERROR})


async def fail(claim: Claim, failure: Failure, *, source_is_bad: UUID | None = None) -> None:
    """End the job without a result; an image that turned out to be none goes with it.

    Raises:
        LostLease: The job is somebody else's by now.
    """
    async with transaction():
        if source_is_bad is not None:  # images before jobs, as everywhere: no two wait for each other
            await Image.update({Image.status: ImageStatus.DELETING}).where(
                (Image.id == source_is_bad) & (Image.status == ImageStatus.PENDING)
            )
        await end(
            claim, {Job.status: JobStatus.FAILED, Job.error_code: failure.code, Job.error: failure.detail}
        )


async def retry_later(claim: Claim, failure: Failure, *, after_s: float) -> None:
    """Give the job back to the sweep, to be run again after a while; the error stays readable.

    Raises:
        LostLease: The job is somebody else's by now.
    """
    await _give_back(
        claim,
        {
            Job.run_after: now() + timedelta(seconds=after_s),
            Job.error_code: failure.code,
            Job.error: failure.detail,
        },
    )


async def release(claim: Claim) -> None:
    """Give a job back untouched because its worker stops; the attempt does not count.

    Raises:
        LostLease: The job is somebody else's by now.
    """
    await _give_back(claim, {Job.run_after: now(), Job.attempts: claim.attempt - 1})


async def cancel(owner: int, job_id: UUID) -> Job:
    """End a job that nobody wants any more; a worker that runs it notices and stops.

    Raises:
        JobNotFound: There is none, or it is another's.
        JobEndedAlready: It has ended.
    """
    cancelled = await (
        Job.update({Job.status: JobStatus.CANCELLED, Job.finished_at: now()})
        .where((Job.id == job_id) & (Job.owner == owner) & Job.status.is_in(UNFINISHED))
        .returning(Job.id)
    )
    job = await owned_by(owner, job_id)
    if not cancelled:
        raise JobEndedAlready(f"job {job_id} is {job.status} already")
    return job


async def publish_soon(job_id: UUID) -> None:
    """Let the next sweep publish a job whose message did not get out."""
    await Job.update({Job.run_after: now()}).where((Job.id == job_id) & (Job.status == JobStatus.QUEUED))


async def publish_all_soon() -> None:
    """End all leases, and let the next sweep publish everything: for a start with an empty broker.

    Only for a process that knows that no other works this database.
    """
    moment = now()
    await Job.update({Job.lease_until: moment}).where(Job.status == JobStatus.RUNNING)
    await Job.update({Job.run_after: moment}).where(Job.status.is_in(UNFINISHED))


async def take_due(limit: int) -> list[Job]:
    """Queued jobs that are due and running ones whose lease ran out, each given to one caller only.

    The next call finds them again once a published message has had its time: longer, the older the job.
    """
    moment = now()
    lapsed = (Job.status == JobStatus.RUNNING) & (Job.lease_until < moment)
    due = (Job.run_after <= moment) & ((Job.status == JobStatus.QUEUED) | lapsed)
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


async def give_up(job: Job, failure: Failure) -> bool:
    """End a job whose every attempt was lost with its worker; False when it moved on meanwhile."""
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
    return bool(ended)


def _held(claim: Claim) -> And:
    return (
        (Job.id == claim.job_id)
        & (Job.worker == claim.worker)
        & (Job.attempts == claim.attempt)
        & (Job.status == JobStatus.RUNNING)
    )


async def end(claim: Claim, values: dict[Any, Any]) -> None:
    """Bring the job to its end; the last statement of a transaction.

    Raises:
        LostLease: The job is somebody else's by now.
    """
    ended = await (
        Job.update({**values, Job.finished_at: now(), Job.lease_until: None})
        .where(_held(claim))
        .returning(Job.id)
    )
    if not ended:
        raise LostLease(str(claim.job_id))


async def _give_back(claim: Claim, values: dict[Any, Any]) -> None:
    given = await (
        Job.update({**values, Job.status: JobStatus.QUEUED, Job.worker: None, Job.lease_until: None})
        .where(_held(claim))
        .returning(Job.id)
    )
    if not given:
        raise LostLease(str(claim.job_id))
