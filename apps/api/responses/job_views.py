"""Views of jobs."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import structs

from libs.contracts.commands import Summary
from libs.contracts.enums import JobKind, JobStatus, Priority
from libs.contracts.views.jobs import JobView
from libs.storage import jobs
from libs.storage.database.tables import Job


def job_view(job: Job, base_url: str, *, following: Job | None = None) -> JobView:
    """Build the view of a job, with the operations of its command.

    A completed fetch is shown as far as the job that follows it: who asked for operations on a URL waits for
    their result, under one id.
    """
    summary = _summary(job)
    view = JobView(
        id=job.id,
        kind=JobKind(job.kind),
        status=JobStatus(job.status),
        image_id=summary.image_id or job.image,
        result_id=job.result,
        operations=summary.operations,
        priority=Priority(job.priority),
        attempts=job.attempts,
        error_code=job.error_code,
        error=job.error,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        url=f"{base_url}/api/jobs/{job.id}",
        download_url=_download_url(job.result, base_url),
    )
    if following is None:
        return view
    return structs.replace(
        view,
        status=JobStatus(following.status),
        image_id=job.result,
        result_id=following.result,
        attempts=job.attempts + following.attempts,
        error_code=following.error_code,
        error=following.error,
        finished_at=following.finished_at,
        download_url=_download_url(following.result, base_url),
    )


async def job_views_of(found: Sequence[Job], base_url: str) -> list[JobView]:
    """Build the views of jobs, with those that follow completed fetches."""
    follows = {job.id: follow for job in found if (follow := follow_of(job))}
    following = {row.id: row for row in await jobs.by_ids(list(follows.values()))}
    return [
        job_view(job, base_url, following=following.get(follows[job.id]) if job.id in follows else None)
        for job in found
    ]


async def job_view_of(job: Job, base_url: str) -> JobView:
    """Build the view of one job as `job_views_of` does."""
    return (await job_views_of([job], base_url))[0]


def follow_of(job: Job) -> UUID | None:
    """Return the id of the job that follows a completed fetch, or None."""
    return _summary(job).follow if job.status == JobStatus.COMPLETED else None


def _summary(job: Job) -> Summary:
    return msgspec.json.decode(job.summary or "{}", type=Summary)


def _download_url(result: UUID | None, base_url: str) -> str | None:
    """Return the address of a job's result itself, whatever later jobs make of that."""
    return f"{base_url}/api/images/{result}/download?version=original" if result else None
