"""Run a failed job again, at an operator's request."""

from uuid import UUID

from libs.backends import Backends
from libs.jobs.publish import publish
from libs.storage import jobs
from libs.storage.database.tables import Job


async def rerun(job_id: UUID, backends: Backends) -> Job:
    """Queue a failed job again.

    Raises:
        JobNotFound, JobNotFailed: As `storage.jobs.retry`.
    """
    job = await jobs.retry(job_id)
    await publish(job, backends)
    return job
