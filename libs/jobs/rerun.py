"""Run a failed job again, at the request of an operator or of its owner."""

from uuid import UUID

from libs.backends import Backends
from libs.jobs import quotas
from libs.jobs.publish import publish
from libs.jobs.submit import count_edits
from libs.storage import jobs
from libs.storage.database.connection import transaction
from libs.storage.database.tables import BaseUser, Job


async def rerun(job_id: UUID, backends: Backends) -> Job:
    """Queue a failed job again.

    Raises:
        JobNotFound, JobNotFailed: As `storage.jobs.retry`.
    """
    job = await jobs.retry(job_id)
    await publish(job, backends)
    return job


async def rerun_own(owner: BaseUser, job_id: UUID, backends: Backends) -> Job:
    """Queue a failed job of an account again, under the limits of a new one.

    Raises:
        JobNotFound, JobNotFailed: As `storage.jobs.retry`; another account's job is not found.
        TooManyJobs, DailyEditsUsed: The account is at its limit.
    """
    job = await jobs.owned_by(owner.id, job_id)
    await quotas.check(owner, backends)
    async with transaction():
        await count_edits(job, backends)
        again = await jobs.retry(job.id)
    await publish(again, backends)
    return again
