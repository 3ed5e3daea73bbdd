"""`Prefer: wait=N` (RFC 7240): wait for a result before answering."""

import re

from apps.api.context import RequestContext
from apps.api.problems import JobFailed
from apps.api.responses.event_streams import EventStreams
from libs.contracts.enums import JobStatus
from libs.storage import jobs
from libs.storage.database.tables import Job

MAX_WAIT_S = 60.0
WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d+)\"?", re.IGNORECASE)


def prefer_wait_s(context: RequestContext) -> float:
    """Return how long the client prefers to wait, in seconds, at most `MAX_WAIT_S`."""
    match = WAIT.search(",".join(context.request.headers.getall("prefer", [])))
    return min(float(match.group(1)), MAX_WAIT_S) if match else context.wait_s


async def done_in_time(job: Job, event_streams: EventStreams, wait_s: float) -> Job | None:
    """Return the completed job, at once if it has ended; None if it has not ended within `wait_s`.

    Raises:
        JobFailed: The job failed or was cancelled.
    """
    if wait_s <= 0 and job.status in jobs.UNFINISHED:
        return None
    ended = await event_streams.ended(job, within_s=wait_s)
    if ended.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        raise JobFailed(ended.error_code or "job_cancelled", ended.error or "the job was cancelled")
    return ended if ended.status == JobStatus.COMPLETED else None
