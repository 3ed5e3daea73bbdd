"""Leases: functions over jobs as the worker that runs them sees them.

A worker claims a job under a lease with a growing attempt number. Every later statement names worker and
attempt, so that a worker that lost the lease writes nothing.
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast
from uuid import UUID

from msgspec import Struct
from piccolo.columns import Column
from piccolo.columns.combination import WhereRaw

from libs.contracts.enums import ImageStatus, JobKind, JobStatus
from libs.contracts.events import BatchCompleted
from libs.storage import batch_counters, expiry_groups, job_timeline, webhook_outbox
from libs.storage.batch_counters import NO_RESULT, ItemResult
from libs.storage.database.connection import transaction
from libs.storage.database.statement import Slot, Statement, insert
from libs.storage.database.tables import Image, Job, now
from libs.storage.job_ends import record_end
from libs.storage.job_failure import Failure

NO_ERROR: dict[Any, Any] = {Job.error_code: None, Job.error: None}


class LostLease(Exception):
    """Another worker holds the job now, or it was cancelled; nothing is written."""


class Claim(Struct, frozen=True, kw_only=True):
    """A job that a worker runs."""

    job_id: UUID
    worker: str
    attempt: int
    crashes: int  # of render processes, in earlier attempts
    owner: int
    kind: JobKind
    command: str
    image: UUID | None
    batch: UUID | None
    host: str | None  # that a batch's job fetches from
    request_id: str | None
    created_at: datetime


async def claim(
    job_id: UUID, *, worker: str, lease_s: float, max_attempts: int, may_be_of_batch: bool = True
) -> Claim | None:
    """Claim a queued job, or one whose lease ran out; return None when it is not free.

    A job that its host's throttle holds is not free, nor one that waits for its next attempt: a message of an
    earlier time may name it. With the first job of a batch the batch begins, in the same transaction;
    `may_be_of_batch=False` saves that transaction.
    """
    moment = now()
    values: dict[str, Any] = {
        "job_id": job_id,
        "worker": worker,
        "now": moment,
        "lease_until": moment + timedelta(seconds=lease_s),
        "max_attempts": max_attempts,
        "claimed": job_timeline.claimed(worker, moment),
        "lapsed": job_timeline.line("lapsed"),
    }
    if may_be_of_batch:
        async with transaction():
            taken = await _TAKE(**values)
            if taken and taken[0]["batch"] is not None:
                await batch_counters.begin(taken[0]["batch"])
    else:
        taken = await _TAKE(**values)
    if not taken:
        return None
    row = taken[0]
    attempt = row.pop("attempts")
    return Claim(job_id=job_id, worker=worker, attempt=attempt, **row)


async def extend(claim: Claim, *, lease_s: float) -> bool:
    """Extend the lease; return False when the job is no longer this worker's."""
    return bool(await _set(claim, {Job.lease_until: now() + timedelta(seconds=lease_s)}))


async def ended_by(claim: Claim) -> bool:
    """Return whether this claim ended the job."""
    return await Job.exists().where(
        (Job.id == claim.job_id)
        & (Job.worker == claim.worker)
        & (Job.attempts == claim.attempt)
        & Job.status.is_in([JobStatus.COMPLETED, JobStatus.FAILED])
    )


async def complete_transform(
    claim: Claim,
    source: Image,
    result: Image,
    *,
    followed_by: Job | None,
    shares_expiry: bool,
    downloaded_s: float,
) -> BatchCompleted | None:
    """End the job with its result, and queue the job that follows, in one transaction.

    Return the batch if this was its last job. A `source` that was decoded before the job began needs no mark:
    it has a dozen indexes.

    Raises:
        LostLease: The job is no longer this worker's.
    """
    async with transaction():
        if shares_expiry or source.status != ImageStatus.READY:
            await expiry_groups.join(
                source.id, [result], shares_expiry=shares_expiry, downloaded_s=downloaded_s
            )
        await insert(result)
        if followed_by is not None:
            await insert(followed_by)
        return await end(
            claim,
            {Job.status: JobStatus.COMPLETED, Job.result: result.id, **NO_ERROR},
            ItemResult(output=result.id, bytes_before=source.size_bytes, bytes_after=result.size_bytes),
        )


async def complete_describe(claim: Claim, source: UUID, values: dict[Any, Any]) -> None:
    """End the job and set the hash and metadata of its image, in one transaction.

    Raises:
        LostLease: The job is no longer this worker's.
    """
    async with transaction():
        await Image.update({**values, Image.status: ImageStatus.READY, Image.updated_at: now()}).where(
            (Image.id == source) & (Image.status != ImageStatus.DELETING)
        )
        await end(claim, {Job.status: JobStatus.COMPLETED, **NO_ERROR})


async def complete(claim: Claim) -> None:
    """End a job that changes no image.

    Raises:
        LostLease: The job is no longer this worker's.
    """
    async with transaction():
        await end(claim, {Job.status: JobStatus.COMPLETED, **NO_ERROR})


async def fail(claim: Claim, failure: Failure, *, source_is_bad: UUID | None = None) -> BatchCompleted | None:
    """Fail the job; `source_is_bad` names a source that turned out not to be an image, and is removed too.

    Return the batch if this was its last job.

    Raises:
        LostLease: The job is no longer this worker's.
    """
    async with transaction():
        if source_is_bad is not None:  # images before jobs, as everywhere: no deadlock
            await Image.update({Image.status: ImageStatus.DELETING}).where(
                (Image.id == source_is_bad) & (Image.status == ImageStatus.PENDING) & _may_remove(claim)
            )
        return await end(
            claim,
            {Job.status: JobStatus.FAILED, **_why("failed", failure)},
            ItemResult(failure=failure),
        )


def _may_remove(claim: Claim) -> WhereRaw:
    """Leave a bad image to the job that a client waits for, unless the claim is of that job."""
    if claim.kind not in (JobKind.DESCRIBE, JobKind.RENDER):
        return WhereRaw("true")
    return WhereRaw(
        "not exists (select 1 from job where job.image = image.id and job.kind not in ({}, {})"
        " and job.status <> {})",
        JobKind.DESCRIBE.value,
        JobKind.RENDER.value,
        JobStatus.CANCELLED.value,
    )


async def retry_later(claim: Claim, failure: Failure, *, after_s: float, crashed: bool = False) -> None:
    """Queue the job again, due in `after_s` seconds; its error stays readable.

    `crashed` counts a render process that died.

    Raises:
        LostLease: The job is no longer this worker's.
    """
    until = now() + timedelta(seconds=after_s)
    await _give_back(
        claim,
        {
            **_not_before(until),
            Job.crashes: claim.crashes + crashed,
            **_why("retry", failure, until),
        },
    )


async def defer(claim: Claim, failure: Failure, *, until: datetime) -> None:
    """Queue the job again because its host sent Retry-After; the attempt does not count.

    Raises:
        LostLease: The job is no longer this worker's.
    """
    await _give_back(
        claim,
        {
            **_not_before(until),
            Job.attempts: claim.attempt - 1,
            **_why("deferred", failure, until),
        },
    )


async def release(claim: Claim) -> None:
    """Queue the job again because its worker stops; the attempt does not count.

    Raises:
        LostLease: The job is no longer this worker's.
    """
    released = job_timeline.line("released")
    await _give_back(claim, {Job.publish_at: now(), Job.attempts: claim.attempt - 1, Job.timeline: released})


async def end(claim: Claim, values: dict[Any, Any], result: ItemResult = NO_RESULT) -> BatchCompleted | None:
    """End the job, with its batch's count and its webhook deliveries; call it last in a transaction.

    `result` is what its batch counts. Return the batch if this was its last job.

    Raises:
        LostLease: The job is no longer this worker's.
    """
    moment = {Job.finished_at: now(), Job.lease_until: None}
    ended = await _set(claim, values | moment)
    if not ended:
        raise LostLease(str(claim.job_id))
    return await record_end(claim.job_id, claim.batch, awaited=ended[0]["awaited"], result=result)


def _why(event: job_timeline.Event, failure: Failure, not_before: datetime | None = None) -> dict[Any, Any]:
    line = job_timeline.line(event, failure, not_before=not_before)
    return {Job.error_code: failure.code, Job.error: failure.detail, Job.timeline: line}


def _not_before(moment: datetime) -> dict[Any, Any]:
    return {Job.not_before: moment, Job.publish_at: moment}


async def _give_back(claim: Claim, values: dict[Any, Any]) -> None:
    free: dict[Any, Any] = {
        Job.status: JobStatus.QUEUED,
        Job.held: claim.host is not None,
        Job.worker: None,
        Job.lease_until: None,
    }
    if not await _set(claim, values | free):
        raise LostLease(str(claim.job_id))


async def _set(claim: Claim, values: dict[Any, Any]) -> list[dict[str, Any]]:
    """Update the row if this claim still holds it: return a row that says whether webhooks wait, or none."""
    statement = _setting(tuple(values))
    slots = {str(position): value for position, value in enumerate(values.values())}
    return await statement(**slots, job_id=claim.job_id, worker=claim.worker, attempt=claim.attempt)


@cache
def _setting(columns: tuple[Column, ...]) -> Statement:
    values: dict[Any, Any] = {column: Slot(str(position)) for position, column in enumerate(columns)}
    if Job.timeline in values:
        values[Job.timeline] = job_timeline.appended(values[Job.timeline])
    (update,) = Job.update(values).where(_HELD).querystrings
    return Statement(Job.raw(f"{{}} returning {webhook_outbox.HAS_RECEIVER} as awaited", update), quick=True)


_HELD = (
    (Job.id == Slot("job_id"))
    & (Job.worker == Slot("worker"))
    & (Job.attempts == Slot("attempt"))
    & (Job.status == JobStatus.RUNNING)
)
_DUE = Job.not_before.is_null() | (Job.not_before <= Slot("now"))
_FREE = ((Job.status == JobStatus.QUEUED) & (Job.held == False) & _DUE) | (  # noqa: E712
    (Job.status == JobStatus.RUNNING)
    & (Job.lease_until < Slot("now"))
    & (Job.attempts < Slot("max_attempts"))
    & Job.host.is_null()
)
_TAKE = Statement(
    cast(
        "Any",
        Job.update(
            {
                Job.status: JobStatus.RUNNING,
                Job.worker: Slot("worker"),
                Job.attempts: Job.attempts + 1,
                Job.lease_until: Slot("lease_until"),
                Job.publish_at: Slot("now"),
                Job.started_at: Slot("now"),
                Job.timeline: job_timeline.appended_claim(Slot("claimed"), Slot("lapsed")),
            }
        )
        .where((Job.id == Slot("job_id")) & _FREE)
        .returning(
            Job.attempts,
            Job.crashes,
            Job.owner,
            Job.kind,
            Job.command,
            Job.image,
            Job.batch,
            Job.host,
            Job.request_id,
            Job.created_at,
        ),
    ),
    quick=True,
)
