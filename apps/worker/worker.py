"""Consume, claim, run, settle."""

import asyncio
import os
import random
import secrets
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import structlog
from structlog.contextvars import bound_contextvars

from apps.worker import handlers
from apps.worker.handlers import Lane
from apps.worker.ingest import ingest
from apps.worker.lease import under_lease
from libs import answers, door, retention
from libs.backends import Backends
from libs.broker import Delivery
from libs.children import ChildError, Children
from libs.contracts.events import JobEnded, ended_job
from libs.contracts.messages import AnyMessage, BadMessage, DescribeImage, IngestImage, TransformImage, decode
from libs.contracts.topology import Route
from libs.imaging.errors import ImagingError, SourceFault
from libs.outbound import FetchError
from libs.storage import claims
from libs.storage.claims import Claim, LostLease
from libs.storage.engine import UNAVAILABLE
from libs.storage.images import ImageError
from libs.storage.jobs import Failure
from libs.storage.objects import ObjectNotFound, StoreUnavailable

BULK_NICENESS = 10
INGEST_SHARE = 4  # fetches at once for every interactive child: most of them wait for somebody's server
BULK_SHARE = 2  # one bulk child for every so many interactive ones

LASTING = (ImagingError, ChildError, ImageError, ObjectNotFound)  # a retry cannot help
PASSING = (StoreUnavailable, *UNAVAILABLE)

log = structlog.get_logger(__name__)


class Worker:
    """Works jobs off the queues; two lanes, so that nobody who waits stands behind bulk work."""

    def __init__(self, backends: Backends) -> None:
        settings = backends.settings
        self.backends = backends
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self.concurrency = settings.worker_concurrency
        self.bulk_concurrency = max(1, settings.worker_concurrency // BULK_SHARE)
        memory = settings.job_memory_bytes
        self.interactive = Lane(backends, Children(self.concurrency, memory_bytes=memory))
        self.bulk = Lane(
            backends, Children(self.bulk_concurrency, memory_bytes=memory, niceness=BULK_NICENESS)
        )
        self.fetcher = backends.fetcher()
        self._cancelled: dict[Claim, asyncio.Event] = {}

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Work while inside; leaving gives back what is not finished."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.interactive.children.close)
            stack.push_async_callback(self.bulk.children.close)
            await stack.enter_async_context(self.fetcher)
            listener = asyncio.create_task(self._listen_for_cancellations())
            stack.callback(listener.cancel)
            for route, lane, concurrency in (
                (Route.TRANSFORM, self.interactive, self.concurrency),
                (Route.TRANSFORM_BULK, self.bulk, self.bulk_concurrency),
                (Route.INGEST, self.interactive, self.concurrency * INGEST_SHARE),
                (Route.DESCRIBE, self.bulk, self.bulk_concurrency),
            ):
                await stack.enter_async_context(
                    self.backends.broker.consume(route, self._handler(route, lane), concurrency=concurrency)
                )
            log.info("worker_started", worker=self.name, concurrency=self.concurrency)
            yield

    def _handler(self, route: Route, lane: Lane):  # noqa: ANN202 - a Handler
        async def handle(delivery: Delivery) -> None:
            request_id = delivery.headers.get("x-request-id")
            with bound_contextvars(request_id=request_id):
                job_id = await door.job_to_work(delivery, route, self.backends)
                if job_id is not None:
                    with bound_contextvars(job_id=str(job_id)):
                        await self._work(job_id, lane)

        return handle

    async def _work(self, job_id: UUID, lane: Lane) -> None:
        settings = self.backends.settings
        try:
            claim = await claims.claim(
                job_id, worker=self.name, lease_s=settings.job_lease_s, max_attempts=settings.max_attempts
            )
        except UNAVAILABLE as error:
            log.warning("claim_failed", error=str(error))  # the row is still queued: the sweep wakes us again
            return
        if claim is None:
            log.info("job_not_free")
            return
        # The row holds the command; a message only says which row.
        try:
            await self._run(decode(claim.command), claim, lane)
        except BadMessage as error:
            log.error("command_unreadable", error=str(error))
            await claims.fail(claim, Failure(error.code, str(error)))
        except UNAVAILABLE as error:
            log.warning("job_left_to_its_lease", error=str(error))

    async def _run(self, command: AnyMessage, claim: Claim, lane: Lane) -> None:
        cancelled = self._cancelled[claim] = asyncio.Event()
        ended: list[JobEnded] = []
        try:
            await under_lease(
                claim,
                self._perform(command, claim, lane, ended),
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
            await answers.tell(event, command, self.backends)

    async def _perform(self, command: AnyMessage, claim: Claim, lane: Lane, ended: list[JobEnded]) -> None:
        try:
            match command:
                case TransformImage():
                    image = await handlers.transform(command, claim, lane)
                case IngestImage():
                    image = await ingest(command, claim, lane, self.fetcher)
                case DescribeImage():
                    image = await handlers.describe_image(command, claim, lane)
            log.info("job_completed", attempt=claim.attempt, image_id=str(image.id))
            ended.append(answers.completed(claim.job_id, command.owner, image, self.backends))
        except FetchError as error:
            failure = Failure(error.code, str(error))
            if error.passing:
                ended.extend(await self._retried(command, claim, failure))
            else:
                ended.append(await self._failed(command, claim, failure))
        except LASTING as error:
            failure = Failure(error.code, str(error))
            ended.append(
                await self._failed(command, claim, failure, bad_source=isinstance(error, SourceFault))
            )
        except PASSING as error:
            ended.extend(await self._retried(command, claim, _passing(error)))
        except LostLease:
            raise
        except Exception:
            log.exception("job_broke")
            failure = Failure("internal_error", "unexpected error")
            ended.append(await self._failed(command, claim, failure))

    async def _failed(
        self, command: AnyMessage, claim: Claim, failure: Failure, *, bad_source: bool = False
    ) -> JobEnded:
        staged = isinstance(command, IngestImage)  # an upload for this job alone
        await claims.fail(
            claim, failure, source_is_bad=command.source.image_id if bad_source or staged else None
        )
        log.info("job_failed", attempt=claim.attempt, error_code=failure.code, error=failure.detail)
        if isinstance(command, TransformImage | IngestImage):
            await retention.clear_attempts(command, claim.created_at, self.backends)
        return JobEnded(
            type="job.failed",
            job_id=claim.job_id,
            owner=command.owner,
            status="failed",
            error_code=failure.code,
            error=failure.detail,
        )

    async def _retried(self, command: AnyMessage, claim: Claim, failure: Failure) -> list[JobEnded]:
        settings = self.backends.settings
        if claim.attempt >= settings.max_attempts:
            return [await self._failed(command, claim, failure)]
        after_s = settings.retry_base_s * 2 ** (claim.attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311
        await claims.retry_later(claim, failure, after_s=after_s)
        log.warning("job_retries", attempt=claim.attempt, after_s=round(after_s, 1), error=failure.detail)
        return []

    async def _release(self, claim: Claim) -> None:
        try:
            await claims.release(claim)
            log.info("job_released")
        except LostLease:
            pass
        except UNAVAILABLE as error:
            log.warning("job_left_to_its_lease", error=str(error))

    async def _listen_for_cancellations(self) -> None:
        async with self.backends.broker.events("job.cancelled") as events:
            async for event in events:
                job_id = ended_job(event.body)
                for claim, cancelled in self._cancelled.items():
                    if claim.job_id == job_id:
                        cancelled.set()


def _passing(error: Exception) -> Failure:
    return Failure(getattr(error, "code", "database_unavailable"), str(error) or type(error).__name__)
