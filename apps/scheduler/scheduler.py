"""What time brings about: ends of images, lost wake-ups, lapsed leases, notices, old tokens.

Two schedulers do no harm: every step decides its races in one statement, or is safe to repeat.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from structlog.contextvars import bound_contextvars

from libs.backends import Backends
from libs.batches.throttle import ThrottleRelease
from libs.contracts.commands import BadMessage, DescribeImage, decode
from libs.contracts.enums import JobStatus
from libs.contracts.events import JobEnded
from libs.edits.errors import EditTimedOut
from libs.images import expiry
from libs.jobs.events import announce
from libs.jobs.publish import publish
from libs.orders import replies
from libs.runtime.background import background_tasks
from libs.storage import (
    accounts,
    edit_calls,
    host_throttle,
    idempotency,
    jobs,
    refresh_tokens,
    webhook_deliveries,
)
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import Job
from libs.storage.job_failure import Failure
from libs.storage.objects import StoreUnavailable
from libs.webhooks.dispatch import dispatching_webhooks

BATCH = 500
PURGE_EVERY_S = 60

ATTEMPTS_EXHAUSTED = Failure("attempts_exhausted", "every attempt was lost with its worker")
CALL_LOST = Failure(EditTimedOut.code, "the call's worker was lost: it may have run and been paid for")

log = structlog.get_logger(__name__)


@asynccontextmanager
async def scheduling(backends: Backends) -> AsyncGenerator[None]:
    """Tick, and send notices, while inside."""
    async with dispatching_webhooks(backends), background_tasks(schedule(backends)):
        yield


async def schedule(backends: Backends) -> None:
    """Tick until cancelled."""
    log.info("scheduler_started", tick_s=backends.settings.tick_s)
    feeder = ThrottleRelease()
    purged_at = float("-inf")
    while True:
        await _attempt(sweep, backends)
        await _attempt(replies.answer_left, backends)
        await _attempt(feeder.feed, backends)
        await _attempt(expiry.expire, backends)
        if time.monotonic() - purged_at >= PURGE_EVERY_S:
            await _attempt(purge, backends)
            purged_at = time.monotonic()
        await asyncio.sleep(backends.settings.tick_s)


async def sweep(backends: Backends) -> int:
    """Publish again what nobody took and what was lost with its worker: the one retry path. How many."""
    due = await jobs.take_due(BATCH)
    for job in due:
        with bound_contextvars(job_id=str(job.id), request_id=job.request_id):
            try:
                await _take_up(job, backends)
            except BadMessage:
                log.exception("command_unreadable")  # the others still have their turn
    return len(due)


async def purge(backends: Backends) -> int:
    """Remove rows that serve nobody any more; how many."""
    return (
        await refresh_tokens.purge_expired()
        + await idempotency.purge_expired()
        + await webhook_deliveries.purge()
        + await accounts.purge_deleted()
        + await host_throttle.purge_pauses()
    )


async def _take_up(job: Job, backends: Backends) -> None:
    if job.status == JobStatus.RUNNING and job.attempts >= backends.settings.max_attempts:
        await _give_up(job, backends)
    elif job.status == JobStatus.RUNNING and job.host is not None:
        await host_throttle.hold_lapsed(job)  # its host may have no room now
    else:
        await publish(job, backends)


async def _give_up(job: Job, backends: Backends) -> None:
    failure = CALL_LOST if await edit_calls.may_have_run(job.id) else ATTEMPTS_EXHAUSTED
    gone, completed = await jobs.give_up(job, failure)
    if not gone:
        return
    command = decode(job.command)
    log.warning("job_given_up", attempts=job.attempts)
    if not isinstance(command, DescribeImage):
        await expiry.clear_attempts(command, job.created_at, backends)
    await replies.tell(
        JobEnded(
            type="job.failed",
            job_id=job.id,
            owner=command.owner,
            status="failed",
            error_code=failure.code,
            error=failure.detail,
        ),
        command,
        backends,
    )
    if completed is not None:
        await announce(completed, backends)


async def _attempt(step: Callable[[Backends], Awaitable[int]], backends: Backends) -> None:
    """One step failing leaves the others their turn, and the next tick its own."""
    try:
        if count := await step(backends):
            log.info(step.__name__, count=count)
    except (DatabaseUnavailable, StoreUnavailable) as error:
        log.warning("step_failed", step=step.__name__, error=str(error))
    except Exception:
        log.exception("step_broke", step=step.__name__)
