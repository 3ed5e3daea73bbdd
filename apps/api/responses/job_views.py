"""Views of jobs."""

from libs.contracts.commands import AnyCommand, EditImage, IngestImage, TransformImage, decode
from libs.contracts.enums import JobKind, JobStatus, Priority
from libs.contracts.views.jobs import JobView
from libs.contracts.views.request_body import Operations
from libs.storage.database.tables import Job


def job_view(job: Job, base_url: str) -> JobView:
    """Build the view of a job, with the operations of its command."""
    command = decode(job.command)
    return JobView(
        id=job.id,
        kind=JobKind(job.kind),
        status=JobStatus(job.status),
        image_id=command.target if isinstance(command, IngestImage) and command.replaces else job.image,
        result_id=job.result,
        operations=_operations(command),
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


def _operations(command: AnyCommand) -> Operations | None:
    if isinstance(command, IngestImage):
        return command.follow.operations if command.follow else command.operations
    return command.operations if isinstance(command, TransformImage | EditImage) else None
