"""The sweep: publishes queued jobs that are due, and takes up running jobs whose worker was lost.

This is the only way that jobs are retried.
"""

import structlog
from structlog.contextvars import bound_contextvars

from libs.backends import Backends
from libs.contracts.commands import DescribeImage, RenderRenditions, decode
from libs.contracts.enums import JobStatus
from libs.edits.errors import EditTimedOut
from libs.images import attempt_files
from libs.jobs import ends
from libs.jobs.publish import publish
from libs.runtime import metrics
from libs.storage import due_jobs, edit_calls, host_throttle, jobs, set_aside
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import Job
from libs.storage.job_failure import Failure

JOBS_PER_SWEEP = 500

ATTEMPTS_EXHAUSTED = Failure("attempts_exhausted", "every attempt was lost with its worker")
CALL_LOST = Failure(EditTimedOut.code, "the call's worker was lost: it may have run and been paid for")

log = structlog.get_logger(__name__)


async def sweep(backends: Backends) -> int:
    """Take up queued jobs that are due and running jobs whose lease lapsed; return how many.

    A job that breaks this is set aside and does not hold up the others; `take_due` returns it after growing
    pauses.
    """
    due = await due_jobs.take_due(JOBS_PER_SWEEP)
    for job in due:
        with bound_contextvars(job_id=str(job.id), request_id=job.request_id):
            try:
                await _take_up(job, backends)
            except DatabaseUnavailable:
                raise
            except Exception as error:
                log.exception("job_set_aside")
                await set_aside.put("job", {job.id: repr(error)})
    return len(due)


async def _take_up(job: Job, backends: Backends) -> None:
    if job.status == JobStatus.RUNNING and job.attempts >= backends.settings.max_attempts:
        await _give_up(job, backends)
    elif job.status == JobStatus.RUNNING and job.host is not None:
        await host_throttle.hold_lapsed(job)  # its host may have no room now
    else:
        await publish(job, backends)


async def _give_up(job: Job, backends: Backends) -> None:
    failure = CALL_LOST if await edit_calls.may_have_run(job.id) else ATTEMPTS_EXHAUSTED
    gone, completed = await due_jobs.give_up(job, failure)
    if not gone:
        return
    command = decode(await jobs.command_of(job.id))
    metrics.JOBS.add(job.kind, "failed", failure.code)
    log.warning("job_given_up", attempts=job.attempts)
    if not isinstance(command, DescribeImage | RenderRenditions):
        await attempt_files.clear_attempts(command, job.created_at, backends)
    await ends.publish_end(ends.failed(command, failure, completed), backends)
