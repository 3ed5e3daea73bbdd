"""End a job before its worker does."""

from collections.abc import Sequence
from uuid import UUID

from libs.backends import Backends
from libs.contracts.commands import IngestImage, decode
from libs.jobs import ends, events
from libs.outbound import is_data_url
from libs.runtime import metrics
from libs.storage import jobs
from libs.storage.database.tables import BaseUser, Job
from libs.storage.job_failure import CANCELLED

ANY_KIND = "any"  # in metrics: of jobs that were cancelled together


async def cancel(owner: BaseUser, job_id: UUID, backends: Backends) -> Job:
    """Cancel a queued or running job; its worker notices and stops.

    Raises:
        JobNotFound: The owner has no such job.
        JobEndedAlready: It has ended.
    """
    job, batch = await jobs.cancel(owner.id, job_id)
    metrics.JOBS.add(job.kind, "cancelled", CANCELLED.code)
    await ends.publish_end(ends.cancelled(job, owner.username, batch), backends)
    command = decode(job.command)
    if isinstance(command, IngestImage) and command.source.url and is_data_url(command.source.url):
        await jobs.forget_source(command)
    return job


async def publish_cancelled(job_ids: Sequence[UUID], owner: str, backends: Backends) -> None:
    """Notify workers and waiting clients that jobs were cancelled together with their image or batch."""
    if job_ids:
        metrics.JOBS.add(ANY_KIND, "cancelled", CANCELLED.code, by=len(job_ids))
    for job_id in job_ids:
        await events.publish_event(events.job_cancelled(job_id, owner), backends)
