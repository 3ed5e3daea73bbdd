"""Functions over jobs as clients see them; one statement decides each race."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any, ClassVar, TypeAlias, cast
from uuid import UUID

from msgspec import structs
from piccolo.columns import Column
from piccolo.columns.combination import And, Or, Where, WhereRaw

from libs.contracts.commands import (
    AnyCommand,
    DescribeImage,
    EditImage,
    IngestImage,
    IngestSource,
    RenderRenditions,
    TransformImage,
    encode,
    summary_of,
)
from libs.contracts.enums import JobKind, JobStatus, Priority
from libs.contracts.events import BatchCompleted
from libs.contracts.outcome import Outcome
from libs.runtime import tracing
from libs.storage import job_timeline
from libs.storage.batch_counters import ItemResult
from libs.storage.database.connection import transaction
from libs.storage.database.engine import rows
from libs.storage.database.statement import Slot, Statement, id_slots, id_values, loaded, new_row
from libs.storage.database.tables import Job, now
from libs.storage.job_ends import record_end
from libs.storage.job_failure import CANCELLED

Condition: TypeAlias = And | Or | Where | WhereRaw
UNFINISHED = [JobStatus.QUEUED, JobStatus.RUNNING]
# How long a published message may take before it counts as lost; it doubles with the job's age.
REPUBLISH_S = 15.0
NO_BYTES = "data:,"

NEWEST = """
select SHOWN from job where id in (
  select id from (
    select id, result, makes, row_number() over (partition by image order by id desc) as nth,
      row_number() over (partition by image, result is not null order by id desc) as nth_alike,
      row_number() over (partition by image, makes order by id desc) as nth_making
    from (
      select id, image, result, kind in ('transform', 'edit') and status <> 'cancelled' as makes
      from job where image in (IMAGES) and kind <> 'render'
    ) as found
  ) as ranked where nth = 1 or (result is not null and nth_alike = 1) or (makes and nth_making = 1)
) order by id desc
"""
KINDS: dict[type[AnyCommand], JobKind] = {
    TransformImage: JobKind.TRANSFORM,
    DescribeImage: JobKind.DESCRIBE,
    IngestImage: JobKind.INGEST,
    EditImage: JobKind.EDIT,
    RenderRenditions: JobKind.RENDER,
}

_SHOWN = [column for column in Job.all_columns() if column is not Job.command and column is not Job.timeline]
_SHOWN_OWNED = Statement(
    cast("Any", Job).select(*_SHOWN).where((Job.id == Slot("job_id")) & (Job.owner == Slot("owner"))),
    quick=True,
)
_OWNED = Statement(Job.objects().where((Job.id == Slot("job_id")) & (Job.owner == Slot("owner"))), quick=True)


class JobError(Exception):
    """A request about a job cannot be fulfilled."""

    code = "job_error"
    outcome: ClassVar[Outcome] = "refused"


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
    """Build a queued job that carries its whole command."""
    moment = now()
    return new_row(
        Job,
        id=message.job_id,
        owner=owner,
        kind=KINDS[type(message)],
        image=source_of(message),
        command=encode(message).decode(),
        summary=encode(summary_of(message)).decode(),
        priority=priority,
        publish_at=moment + timedelta(seconds=REPUBLISH_S),
        request_id=request_id,
        traceparent=tracing.traceparent(),
        webhook_url=webhook_url,
        created_at=moment,
    )


def source_of(message: AnyCommand) -> UUID | None:
    """Return the stored image that a job starts from, if any."""
    return None if message.source is None else message.source.image_id


async def owned_by(owner: int, job_id: UUID) -> Job:
    """Return the owner's job.

    Raises:
        JobNotFound: The owner has no such job.
    """
    job = await _OWNED.first(Job, owner=owner, job_id=job_id)
    if job is None:
        raise JobNotFound(f"there is no job {job_id}")
    return job


async def page(
    owner: int,
    *,
    limit: int,
    after: UUID | None,
    status: str | None = None,
    kind: str | None = None,
    image: UUID | None = None,
    in_batch: bool | None = None,
) -> tuple[list[Job], int]:
    """Return at most `limit` jobs, newest first, older than the job `after`, and how many match in all.

    They come without their commands.
    """
    conditions: list[Condition] = [Job.owner == owner]
    for column, value in ((Job.status, status), (Job.kind, kind), (Job.image, image)):
        if value is not None:
            conditions.append(column == value)
    if in_batch is not None:
        conditions.append(Job.batch.is_not_null() if in_batch else Job.batch.is_null())
    total = cast("int", await Job.count().where(*conditions))
    if after is not None:
        conditions.append(Job.id < after)
    return await without_commands(*conditions, order_by=Job.id, ascending=False, limit=limit), total


async def shown(owner: int, job_id: UUID) -> Job:
    """Return the owner's job without its command, which may be large.

    Raises:
        JobNotFound: The owner has no such job.
    """
    job = await _SHOWN_OWNED.first(Job, owner=owner, job_id=job_id)
    if job is None:
        raise JobNotFound(f"there is no job {job_id}")
    return job


async def by_ids(job_ids: Sequence[UUID]) -> list[Job]:
    """Return those of the jobs that exist, without their commands, in no particular order."""
    if not job_ids:
        return []
    values = id_values(job_ids)
    return await _by_ids(len(values)).objects(Job, **values)


@cache
def _by_ids(count: int) -> Statement:
    return Statement(cast("Any", Job).select(*_SHOWN).where(Job.id.is_in(id_slots(count))), quick=True)


async def command_of(job_id: UUID) -> str:
    """Return the command of a job that exists, as JSON."""
    [row] = await Job.select(Job.command).where(Job.id == job_id)
    return row["command"]


async def without_commands(
    *conditions: Condition, order_by: Column = Job.id, ascending: bool = True, limit: int | None = None
) -> list[Job]:
    query = cast("Any", Job).select(*_SHOWN).where(*conditions).order_by(order_by, ascending=ascending)
    return [loaded(Job, row) for row in await rows(query if limit is None else query.limit(limit))]


async def newest_of(image_ids: Sequence[UUID]) -> list[Job]:
    """Return the newest job of each image, the newest that has a result, and the newest that makes one.

    They are in order, newest first, and come without their commands.
    """
    if not image_ids:
        return []
    values = id_values(image_ids)
    return await _newest_of(len(values)).objects(Job, **values)


@cache
def _newest_of(count: int) -> Statement:
    shown = ", ".join(f'"{column._meta.name}"' for column in _SHOWN)  # pyright: ignore[reportPrivateUsage]
    text = NEWEST.replace("SHOWN", shown).replace("IMAGES", ", ".join(["{}"] * count))
    return Statement(Job.raw(text, *id_slots(count)), quick=count == 1)


async def describing(image_id: UUID) -> Job | None:
    """Return the unfinished description job of an image, if any."""
    return await (
        Job.objects()
        .where((Job.image == image_id) & (Job.kind == JobKind.DESCRIBE) & Job.status.is_in(UNFINISHED))
        .first()
    )


async def rendering(image_id: UUID) -> list[Job]:
    """Return the unfinished jobs that render presets of an image ahead."""
    return await Job.objects().where(
        (Job.image == image_id) & (Job.kind == JobKind.RENDER) & Job.status.is_in(UNFINISHED)
    )


async def forget_source(message: IngestImage) -> None:
    """Remove the bytes of a `data:` URL from the row of a job that has ended; its other columns stay."""
    emptied = structs.replace(message, source=IngestSource(url=NO_BYTES))
    await Job.update({Job.command: encode(emptied).decode()}).where(
        (Job.id == message.job_id) & Job.status.not_in(UNFINISHED)
    )


async def cancel(owner: int, job_id: UUID) -> tuple[Job, BatchCompleted | None]:
    """Cancel a queued or running job, and return it with its batch if this was the batch's last job.

    In a batch the items of a cancelled job have failed.

    Raises:
        JobNotFound: The owner has no such job.
        JobEndedAlready: It has ended.
    """
    completed = None
    async with transaction():
        cancelled: list[dict[str, Any]] = await (
            Job.update({Job.status: JobStatus.CANCELLED, Job.finished_at: now()})
            .where((Job.id == job_id) & (Job.owner == owner) & Job.status.is_in(UNFINISHED))
            .returning(Job.batch)
        )
        if cancelled:
            batch = cancelled[0]["batch"]
            completed = await record_end(job_id, batch, awaited=False, result=ItemResult(failure=CANCELLED))
    job = await owned_by(owner, job_id)
    if not cancelled:
        raise JobEndedAlready(f"job {job_id} is {job.status} already")
    return job, completed


async def retry(job_id: UUID) -> Job:
    """Queue a failed job again. Attempts keep counting: a job that used them all gets one more.

    Raises:
        JobNotFound: There is no such job.
        JobNotFailed: It has not failed, or belongs to a batch, whose counters it would spoil.
    """
    moment = now()
    again = await (
        Job.update(
            {
                Job.status: JobStatus.QUEUED,
                Job.publish_at: moment + timedelta(seconds=REPUBLISH_S),
                Job.not_before: None,
                Job.crashes: 0,
                Job.worker: None,
                Job.error_code: None,
                Job.error: None,
                Job.started_at: None,
                Job.finished_at: None,
                Job.timeline: job_timeline.appended(job_timeline.line("run_again")),
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
