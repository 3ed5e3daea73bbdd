"""Views of jobs."""

import msgspec

from libs.contracts.commands import Summary
from libs.contracts.enums import JobKind, JobStatus, Priority
from libs.contracts.views.jobs import JobView
from libs.storage.database.tables import Job


def job_view(job: Job, base_url: str) -> JobView:
    """Build the view of a job, with the operations of its command."""
    summary = msgspec.json.decode(job.summary or "{}", type=Summary)
    return JobView(
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
        download_url=f"{base_url}/api/images/{job.result}/download" if job.result else None,
    )
