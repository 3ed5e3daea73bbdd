"""Consume, claim, run, settle."""

import asyncio
import os
import random
import secrets
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from uuid import UUID

import structlog
from structlog.contextvars import bound_contextvars

from apps.worker.handlers import transform
from apps.worker.handlers.edit import edit
from apps.worker.handlers.ingest import ingest
from apps.worker.handlers.transform import WorkerPool
from apps.worker.lease import under_lease
from apps.worker.rate_limited_fetch import RateLimitedFetch, pause_until
from libs.backends import Backends
from libs.broker import BrokerMessage
from libs.contracts.commands import (
    AnyCommand,
    BadMessage,
    DescribeImage,
    EditImage,
    IngestImage,
    TransformImage,
    decode,
)
from libs.contracts.events import AnyEvent, JobEnded, ended_job
from libs.contracts.topology import Route
from libs.edits.errors import EditError
from libs.edits.open_provider import opened_provider
from libs.edits.provider import Provider
from libs.images import expiry
from libs.imaging.errors import ImagingError, SourceFault
from libs.orders import intake, replies
from libs.outbound import FetchError
from libs.runtime.background import background_tasks
from libs.runtime.process_pool import ProcessPool, RenderError
from libs.storage import host_throttle, jobs, leases
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import Image, now
from libs.storage.image_errors import ImageError
from libs.storage.job_failure import Failure
from libs.storage.leases import Claim, LostLease
from libs.storage.objects import ObjectNotFound, StoreUnavailable

BULK_NICENESS = 10
INGEST_SHARE = 4  # fetches at once for every interactive child: most of them wait for somebody's server
BULK_INGEST_SHARE = 16  # for every bulk child: a few slow hosts may not hold up all others
EDIT_SHARE = 4  # calls to a model at once for every interactive child: all of them wait
EDIT_CHILDREN = 1  # that make the pictures before and after a call
BULK_SHARE = 2  # one bulk child for every so many interactive ones

DEFER_FOR_S = 86_400.0  # after a day, being asked for patience counts as an attempt

LASTING = (ImagingError, RenderError, ImageError, jobs.JobError, ObjectNotFound)  # a retry cannot help
PASSING = (StoreUnavailable, DatabaseUnavailable, OSError)  # OSError: no room for temporary files

log = structlog.get_logger(__name__)


class Worker:
    """Works jobs off the queues; in lanes, so that nobody who waits stands behind bulk work or a model."""

    def __init__(self, backends: Backends) -> None:
        settings = backends.settings
        self.backends = backends
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self.concurrency = settings.worker_concurrency
        self.bulk_concurrency = max(1, settings.worker_concurrency // BULK_SHARE)
        memory = settings.job_memory_bytes
        self.interactive = WorkerPool(backends, ProcessPool(self.concurrency, memory_bytes=memory))
        self.bulk = WorkerPool(
            backends, ProcessPool(self.bulk_concurrency, memory_bytes=memory, niceness=BULK_NICENESS)
        )
        self.edits = WorkerPool(backends, ProcessPool(EDIT_CHILDREN, memory_bytes=memory))
        self.fetcher = backends.fetcher()
        self.provider: Provider | None = None
        self._cancelled: dict[Claim, asyncio.Event] = {}

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Work while inside; leaving gives back what is not finished."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.interactive.processes.close)
            stack.push_async_callback(self.bulk.processes.close)
            stack.push_async_callback(self.edits.processes.close)
            await stack.enter_async_context(self.fetcher)
            self.provider = await stack.enter_async_context(opened_provider(self.backends.settings))
            await stack.enter_async_context(background_tasks(self._listen_for_cancellations()))
            for route, pool, concurrency in (
                (Route.TRANSFORM, self.interactive, self.concurrency),
                (Route.TRANSFORM_BULK, self.bulk, self.bulk_concurrency),
                (Route.INGEST, self.interactive, self.concurrency * INGEST_SHARE),
                (Route.INGEST_BULK, self.bulk, self.bulk_concurrency * BULK_INGEST_SHARE),
                (Route.DESCRIBE, self.bulk, self.bulk_concurrency),
                (Route.EDIT, self.edits, self.concurrency * EDIT_SHARE),
            ):
                await stack.enter_async_context(
                    self.backends.broker.consume(route, self._handler(route, pool), concurrency=concurrency)
                )
            log.info("worker_started", worker=self.name, concurrency=self.concurrency)
            yield

    def _handler(self, route: Route, pool: WorkerPool):  # noqa: ANN202 - a Handler
        async def handle(delivery: BrokerMessage) -> None:
            job_id = await intake.job_to_work(delivery, route, self.backends)
            if job_id is None:
                return
            with bound_contextvars(job_id=str(job_id)):
                if not await self._waits(job_id, pool):
                    await self._work(job_id, pool)

        return handle

    async def _waits(self, job_id: UUID, pool: WorkerPool) -> bool:
        """Whether the job went back among those that wait: its host asked for that meanwhile."""
        if pool is not self.bulk:
            return False
        try:
            return await host_throttle.hold_if_paused(job_id)
        except DatabaseUnavailable as error:
            log.warning("pause_unknown", error=str(error))
        return False

    async def _work(self, job_id: UUID, pool: WorkerPool) -> None:
        settings = self.backends.settings
        try:
            claim = await leases.claim(
                job_id, worker=self.name, lease_s=settings.job_lease_s, max_attempts=settings.max_attempts
            )
        except DatabaseUnavailable as error:
            log.warning("claim_failed", error=str(error))  # the row is still queued: the sweep wakes us again
            return
        if claim is None:
            log.info("job_not_free")
            return
        # The row holds the command; a message only says which row.
        try:
            await self._run(decode(claim.command), claim, pool)
        except BadMessage as error:
            log.error("command_unreadable", error=str(error))
            await leases.fail(claim, Failure(error.code, str(error)))
        except DatabaseUnavailable as error:
            log.warning("job_left_to_its_lease", error=str(error))

    async def _run(self, command: AnyCommand, claim: Claim, pool: WorkerPool) -> None:
        cancelled = self._cancelled[claim] = asyncio.Event()
        ended: list[AnyEvent] = []
        try:
            await under_lease(
                claim,
                self._perform(command, claim, pool, ended),
                lease_s=self.backends.settings.job_lease_s,
                cancelled=cancelled,
            )
        except LostLease:
            log.info("job_lost")
        except asyncio.CancelledError:
            await asyncio.shield(self._release(claim))
            raise
        finally:
            del self._cancelled[claim]
        for event in ended:
            await replies.tell(event, command, self.backends)

    async def _perform(
        self, command: AnyCommand, claim: Claim, pool: WorkerPool, ended: list[AnyEvent]
    ) -> None:
        try:
            image = await self._image_of(command, claim, pool, ended)
            log.info("job_completed", attempt=claim.attempt, image_id=str(image.id))
            ended.insert(0, replies.completed(claim.job_id, command.owner, image, self.backends))
        except FetchError as error:
            ended.extend(await self._not_fetched(command, claim, error))
        except EditError as error:
            failure = Failure(error.code, str(error))
            if error.not_run:
                ended.extend(await self._retried(command, claim, failure, at_least_s=error.after_s))
            else:
                ended.extend(await self._failed(command, claim, failure))
        except LASTING as error:
            failure = Failure(error.code, str(error))
            ended.extend(
                await self._failed(command, claim, failure, bad_source=isinstance(error, SourceFault))
            )
        except PASSING as error:
            ended.extend(await self._retried(command, claim, _passing(error)))
        except LostLease:
            raise
        except Exception:
            log.exception("job_broke")
            failure = Failure("internal_error", "unexpected error")
            ended.extend(await self._failed(command, claim, failure))

    async def _ingest(
        self, command: IngestImage, claim: Claim, pool: WorkerPool, ended: list[AnyEvent]
    ) -> Image:
        fetch = self.fetcher.fetch
        if claim.host is not None:
            fetch = RateLimitedFetch(self.fetcher, claim.host, self.backends).fetch
        ingested = await ingest(command, claim, pool, fetch)
        if ingested.batch is not None:
            ended.append(ingested.batch)
        return ingested.image

    async def _not_fetched(self, command: AnyCommand, claim: Claim, error: FetchError) -> list[AnyEvent]:
        failure = Failure(error.code, str(error))
        if _may_be_deferred(claim, error):
            await leases.defer(claim, failure, until=pause_until(error.retry_after_s or 0))
            log.info("job_deferred", error=failure.detail)
            return []
        if error.outcome == "transient":
            return await self._retried(command, claim, failure)
        return await self._failed(command, claim, failure)

    async def _image_of(
        self, command: AnyCommand, claim: Claim, pool: WorkerPool, ended: list[AnyEvent]
    ) -> Image:
        """Do what the command says; the image that it made or told of."""
        match command:
            case TransformImage():
                return await transform.transform(command, claim, pool)
            case IngestImage():
                return await self._ingest(command, claim, pool, ended)
            case EditImage():
                return await edit(command, claim, pool, self.provider)
            case DescribeImage():
                return await transform.describe_image(command, claim, pool)

    async def _failed(
        self, command: AnyCommand, claim: Claim, failure: Failure, *, bad_source: bool = False
    ) -> list[AnyEvent]:
        staged = isinstance(command, IngestImage)  # an upload for this job alone
        completed = await leases.fail(
            claim, failure, source_is_bad=jobs.source_of(command) if bad_source or staged else None
        )
        log.info("job_failed", attempt=claim.attempt, error_code=failure.code, error=failure.detail)
        if not isinstance(command, DescribeImage):
            await expiry.clear_attempts(command, claim.created_at, self.backends)
        failed = JobEnded(
            type="job.failed",
            job_id=claim.job_id,
            owner=command.owner,
            status="failed",
            error_code=failure.code,
            error=failure.detail,
        )
        return [failed] if completed is None else [failed, completed]

    async def _retried(
        self, command: AnyCommand, claim: Claim, failure: Failure, *, at_least_s: float = 0
    ) -> list[AnyEvent]:
        settings = self.backends.settings
        if claim.attempt >= settings.max_attempts:
            return await self._failed(command, claim, failure)
        after_s = settings.retry_base_s * 2 ** (claim.attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311
        after_s = max(after_s, at_least_s)
        await leases.retry_later(claim, failure, after_s=after_s)
        log.warning("job_retries", attempt=claim.attempt, after_s=round(after_s, 1), error=failure.detail)
        return []

    async def _release(self, claim: Claim) -> None:
        try:
            await leases.release(claim)
            log.info("job_released")
        except LostLease:
            pass
        except DatabaseUnavailable as error:
            log.warning("job_left_to_its_lease", error=str(error))

    async def _listen_for_cancellations(self) -> None:
        async with self.backends.broker.events("job.cancelled") as events:
            async for event in events:
                job_id = ended_job(event.body)
                for claim, cancelled in self._cancelled.items():
                    if claim.job_id == job_id:
                        cancelled.set()


def _may_be_deferred(claim: Claim, error: FetchError) -> bool:
    """Whether a batch's job waits for as long as its host asked; not for ever, or the batch had no end."""
    young = now() - claim.created_at < timedelta(seconds=DEFER_FOR_S)
    return claim.batch is not None and error.retry_after_s is not None and young


def _passing(error: Exception) -> Failure:
    return Failure(getattr(error, "code", StoreUnavailable.code), str(error) or type(error).__name__)
