"""Consume messages: claim the job, run its handler, record the outcome."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from structlog.contextvars import bound_contextvars

from apps.worker import measures
from apps.worker.error_policy import MAX_CRASHES, attempts_for, failure_of, may_be_deferred
from apps.worker.handlers.describe import describe_image
from apps.worker.handlers.edit import edit
from apps.worker.handlers.ingest import ingest
from apps.worker.handlers.render_renditions import render_renditions
from apps.worker.handlers.transform import transform
from apps.worker.lease import under_lease
from apps.worker.rate_limited_fetch import RateLimitedFetch, pause_until
from apps.worker.worker_pool import Done, WorkerPool
from libs.backends import Backends
from libs.broker import BrokerMessage
from libs.contracts.commands import (
    AnyCommand,
    BadMessage,
    DescribeImage,
    EditImage,
    IngestImage,
    RenderRenditions,
    TransformImage,
    decode,
)
from libs.contracts.events import ended_job
from libs.contracts.outcome import outcome_of
from libs.contracts.topology import Route
from libs.contracts.wake_up import job_to_wake
from libs.delivery.render_queue import RenderQueue
from libs.delivery.renditions import Renditions
from libs.edits.open_model import open_image_model
from libs.images import attempt_files
from libs.images.artifact import keep_removing_unrecorded
from libs.imaging.errors import SourceFault
from libs.imaging.hashing import IMPORTED_LATE
from libs.jobs import ends, events, retry_policy
from libs.jobs.ends import JobEnd
from libs.orders import intake
from libs.runtime.background import entered_together, supervised_loops
from libs.runtime.disk import full_disk_errors
from libs.runtime.process_pool import ProcessPool, RenderCrashed, preload
from libs.settings import WorkerPoolName
from libs.storage import accounts, host_throttle, jobs, leases
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.job_failure import Failure
from libs.storage.leases import Claim, LostLease

if TYPE_CHECKING:
    from libs.edits.openai_images import OpenAIImages

BULK_NICENESS = 10
TRANSFORM_SHARE = 2  # jobs at once for each interactive render process: one is fetched or stored meanwhile
INGEST_SHARE = 4  # fetches at once for each interactive render process: most of them wait for a server
BULK_INGEST_SHARE = 16  # for each bulk render process: a few slow hosts must not hold up all others
EDIT_SHARE = 4  # calls to the model at once for each interactive render process: all of them wait
EDIT_PROCESSES = 1  # that make the files before and after a call
RELEASE_S = 2.0  # for queueing an unfinished job again when the worker stops
BULK_SHARE = 2  # interactive render processes for each bulk one

log = structlog.get_logger(__name__)


class Worker:
    """Runs jobs in three pools: a job that a client waits for never queues behind bulk work or a model."""

    def __init__(self, backends: Backends) -> None:
        settings = backends.settings
        self.backends = backends
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self.concurrency = settings.worker_concurrency
        self.bulk_concurrency = max(1, settings.worker_concurrency // BULK_SHARE)
        memory = settings.job_memory_bytes
        preload(*IMPORTED_LATE)  # each process would import it for its first image that is kept
        self.interactive = WorkerPool(
            backends, ProcessPool("interactive", self.concurrency, memory_bytes=memory, prefetch=True)
        )
        self.bulk = WorkerPool(
            backends, ProcessPool("bulk", self.bulk_concurrency, memory_bytes=memory, niceness=BULK_NICENESS)
        )
        queue = RenderQueue(self.bulk.processes, processes=self.bulk_concurrency, limit=self.bulk_concurrency)
        self.renditions = Renditions(backends, queue)
        self.edits = WorkerPool(backends, ProcessPool("edits", EDIT_PROCESSES, memory_bytes=memory))
        self.fetcher = backends.fetcher()
        self.model: OpenAIImages | None = None
        self._cancelled: dict[Claim, asyncio.Event] = {}

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Work for the time of the block; at its end, queue jobs again that do not end within `drain_s`."""
        async with AsyncExitStack() as stack:
            for pool in (self.interactive, self.bulk, self.edits):
                stack.push_async_callback(pool.processes.close)
            stack.push_async_callback(self.renditions.close)
            await stack.enter_async_context(self.fetcher)
            self.model = await stack.enter_async_context(open_image_model(self.backends.settings))
            loops = {
                "cancellations": self._listen_for_cancellations(),
                "remove_unrecorded_objects": keep_removing_unrecorded(self.backends),
            }
            await stack.enter_async_context(supervised_loops(loops))
            await stack.enter_async_context(entered_together(*self._consumers()))
            log.info("worker_started", worker=self.name, concurrency=self.concurrency)
            yield

    def _consumers(self) -> list[AbstractAsyncContextManager[None]]:
        """Return what consumes the queues of the pools that this worker has."""
        settings, consume = self.backends.settings, self.backends.broker.consume
        interactive, bulk = self.concurrency, self.bulk_concurrency
        routes: tuple[tuple[WorkerPoolName, WorkerPool, Route, int], ...] = (
            ("interactive", self.interactive, Route.TRANSFORM, interactive * TRANSFORM_SHARE),
            ("interactive", self.interactive, Route.INGEST, interactive * INGEST_SHARE),
            ("bulk", self.bulk, Route.TRANSFORM_BULK, bulk),
            ("bulk", self.bulk, Route.INGEST_BULK, bulk * BULK_INGEST_SHARE),
            ("bulk", self.bulk, Route.DESCRIBE, bulk),
            ("edits", self.edits, Route.EDIT, interactive * EDIT_SHARE),
        )
        return [
            consume(route, self._handler(route, pool), concurrency=concurrency, drain_s=settings.drain_s)
            for name, pool, route, concurrency in routes
            if name in settings.worker_pools
        ]

    def _handler(self, route: Route, pool: WorkerPool) -> Callable[[BrokerMessage], Awaitable[None]]:
        async def handle(message: BrokerMessage) -> None:
            job_id = job_to_wake(message.body)
            if job_id is None:
                await intake.accept_message(message, route, self.backends)
                return
            with bound_contextvars(job_id=str(job_id)):
                if not await self._is_held(job_id, pool):
                    await self._work(job_id, route, pool)

        return handle

    async def _is_held(self, job_id: UUID, pool: WorkerPool) -> bool:
        """Hold a bulk job whose host has asked for a pause since the job was released."""
        if pool is not self.bulk:
            return False
        try:
            return await host_throttle.hold_if_paused(job_id)
        except DatabaseUnavailable as error:
            log.warning("pause_unknown", error=str(error))
        return False

    async def _work(self, job_id: UUID, route: Route, pool: WorkerPool) -> None:
        settings = self.backends.settings
        try:
            claim = await leases.claim(
                job_id,
                worker=self.name,
                lease_s=settings.job_lease_s,
                max_attempts=settings.max_attempts,
                may_be_of_batch=pool is self.bulk,
            )
        except DatabaseUnavailable as error:
            log.warning("claim_failed", error=str(error))  # the sweep publishes the job again
            return
        if claim is None:
            log.info("job_not_free")
            return
        measures.note_claim(claim, route)
        try:
            with measures.run_of(claim):
                end = await self._end(claim, pool)
        except DatabaseUnavailable as error:
            log.warning("job_left_to_its_lease", error=str(error))
        else:
            if end is not None:
                await ends.publish_end(end, self.backends)

    async def _end(self, claim: Claim, pool: WorkerPool) -> JobEnd | None:
        """Run the job, or fail it if its command cannot be decoded; return its end."""
        try:
            command = decode(claim.command)
        except BadMessage as error:
            log.error("command_unreadable", error=str(error))
            return await self._fail_unreadable(claim, failure_of(error))
        return await self._run(command, claim, pool)

    async def _fail_unreadable(self, claim: Claim, failure: Failure) -> JobEnd | None:
        """Fail the job; the scheduler sends the reply, because the command does not name the order."""
        try:
            batch = await leases.fail(claim, failure)
        except LostLease:
            return None
        measures.note_end(claim, "failed", failure)
        owner = await accounts.username_of(claim.owner)
        return JobEnd(event=events.job_failed(claim.job_id, owner, failure), batch=batch)

    async def _run(self, command: AnyCommand, claim: Claim, pool: WorkerPool) -> JobEnd | None:
        """Run the job under its lease; return its end, or None when it did not end here."""
        cancelled = self._cancelled[claim] = asyncio.Event()
        try:
            return await under_lease(
                claim,
                self._perform(command, claim, pool),
                lease_s=self.backends.settings.job_lease_s,
                cancelled=cancelled,
            )
        except LostLease:
            log.info("job_lost")
            return None
        except asyncio.CancelledError:
            await asyncio.shield(self._release(claim))
            raise
        finally:
            del self._cancelled[claim]

    async def _perform(self, command: AnyCommand, claim: Claim, pool: WorkerPool) -> JobEnd | None:
        try:
            with full_disk_errors():
                done = await self._handle(command, claim, pool)
        except LostLease:
            raise
        except Exception as error:
            if outcome_of(error) is None:
                log.exception("job_broke")
            return await self._not_done(command, claim, error)
        measures.note_end(claim, "completed")
        log.info("job_completed", attempt=claim.attempt, image_id=str(done.image.id))
        return ends.completed(command, done.image, self.backends, done.batch)

    async def _handle(self, command: AnyCommand, claim: Claim, pool: WorkerPool) -> Done:
        match command:
            case TransformImage():
                return await transform(command, claim, pool)
            case IngestImage():
                fetch = self.fetcher.fetch
                if claim.host is not None:
                    fetch = RateLimitedFetch(self.fetcher, claim.host, self.backends).fetch
                return await ingest(command, claim, pool, fetch)
            case EditImage():
                return await edit(command, claim, pool, self.model)
            case DescribeImage():
                return await describe_image(command, claim, pool)
            case RenderRenditions():
                return await render_renditions(command, claim, pool, self.renditions)

    async def _not_done(self, command: AnyCommand, claim: Claim, error: Exception) -> JobEnd | None:
        """Defer, retry or fail the job, as the error's outcome says."""
        settings, failure = self.backends.settings, failure_of(error)
        if may_be_deferred(claim, error):
            await leases.defer(claim, failure, until=pause_until(getattr(error, "retry_after_s", None) or 0))
            measures.note_end(claim, "retried", failure)
            log.info("job_deferred", error=failure.detail)
            return None
        if outcome_of(error) != "transient" or claim.attempt >= attempts_for(error, settings):
            return await self._fail(command, claim, error)
        crashed = isinstance(error, RenderCrashed)
        if crashed and claim.crashes + 1 >= MAX_CRASHES:
            return await self._fail(command, claim, RenderCrashed(f"{error}, as {claim.crashes} before it"))
        after_s = retry_policy.delay_s(
            claim.attempt,
            base_s=settings.retry_base_s,
            max_s=settings.retry_max_s,
            at_least_s=getattr(error, "after_s", 0),
        )
        await leases.retry_later(claim, failure, after_s=after_s, crashed=crashed)
        measures.note_end(claim, "retried", failure)
        log.warning("job_retries", attempt=claim.attempt, after_s=round(after_s, 1), error=failure.detail)
        return None

    async def _fail(self, command: AnyCommand, claim: Claim, error: Exception) -> JobEnd:
        """Fail the job; a source that is not an image, or was staged for this job alone, is removed too."""
        failure = failure_of(error)
        removes_source = isinstance(error, SourceFault) or isinstance(command, IngestImage)
        batch = await leases.fail(
            claim, failure, source_is_bad=jobs.source_of(command) if removes_source else None
        )
        measures.note_end(claim, "failed", failure)
        log.info("job_failed", attempt=claim.attempt, error_code=failure.code, error=failure.detail)
        if not isinstance(command, DescribeImage | RenderRenditions):
            await attempt_files.clear_attempts(command, claim.created_at, self.backends)
        return ends.failed(command, failure, batch)

    async def _release(self, claim: Claim) -> None:
        try:
            async with asyncio.timeout(RELEASE_S):
                await leases.release(claim)
            log.info("job_released")
        except LostLease:
            pass
        except (DatabaseUnavailable, TimeoutError) as error:
            log.warning("job_left_to_its_lease", error=str(error))

    async def _listen_for_cancellations(self) -> None:
        async with self.backends.broker.events("job.cancelled") as events:
            async for event in events:
                job_id = ended_job(event.body)
                for claim, cancelled in self._cancelled.items():
                    if claim.job_id == job_id:
                        cancelled.set()
