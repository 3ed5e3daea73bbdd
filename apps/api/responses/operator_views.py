"""Views for operators: records of any account, with the account's name."""

from collections.abc import Sequence
from typing import Any

from msgspec import structs

from apps.api.responses.job_views import job_view
from libs.contracts.enums import JobStatus
from libs.contracts.views.operators import JobDetail, OwnedJobView, TimelineEntry
from libs.jobs.publish import queue_of
from libs.storage import job_timeline, jobs, site_lists
from libs.storage.database.tables import Job

COMMAND_CHARS = 20_000  # a fetch from a `data:` URL has a long command
ENDS = (JobStatus.COMPLETED, JobStatus.CANCELLED)  # the timeline has the failures


async def owned_jobs(found: Sequence[Job], base_url: str) -> list[OwnedJobView]:
    """Build the views of jobs. A fetch is shown by itself, without the job that follows it."""
    names = await site_lists.names_of([job.owner for job in found])
    return [OwnedJobView(**_of_job(job, names[job.owner], base_url)) for job in found]


async def job_detail(job: Job, base_url: str) -> JobDetail:
    """Read the rest of a job, and build its view."""
    names = await site_lists.names_of([job.owner])
    return JobDetail(
        **_of_job(job, names[job.owner], base_url),
        command=(await jobs.command_of(job.id))[:COMMAND_CHARS],
        request_id=job.request_id,
        not_before=job.not_before,
        lease_until=job.lease_until,
        crashes=job.crashes,
        timeline=_timeline(job, await job_timeline.of(job.id)),
    )


def _of_job(job: Job, owner: str, base_url: str) -> dict[str, Any]:
    view = job_view(job, base_url)
    return {
        **{name: getattr(view, name) for name in view.__struct_fields__},
        "owner": owner,
        "batch_id": job.batch and str(job.batch),
        "queue": queue_of(job).value,
        "worker": job.worker,
    }


def _timeline(job: Job, entries: Sequence[job_timeline.Entry]) -> tuple[TimelineEntry, ...]:
    """Complete the entries by what the columns have; jobs of an earlier release have no entries."""
    shown = [
        TimelineEntry(event="queued", at=job.created_at),
        *(TimelineEntry(**structs.asdict(entry)) for entry in entries),
    ]
    if job.started_at is not None and not entries:
        shown.append(
            TimelineEntry(event="claimed", at=job.started_at, worker=job.worker, attempt=job.attempts)
        )
    last = shown[-1].event
    if job.status == JobStatus.FAILED and last != "failed" and job.finished_at is not None:
        shown.append(
            TimelineEntry(event="failed", at=job.finished_at, error_code=job.error_code, error=job.error)
        )
    if job.status in ENDS and job.finished_at is not None:
        ended = "completed" if job.status == JobStatus.COMPLETED else "cancelled"
        shown.append(TimelineEntry(event=ended, at=job.finished_at))
    return tuple(shown)
