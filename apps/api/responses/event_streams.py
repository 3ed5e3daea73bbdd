"""Waiting for jobs and batches: one subscription to events per process, any number of waiters.

Events only shorten the wait. The row is read as well, every second, in case an event is lost.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from uuid import UUID

from libs.broker import Broker
from libs.contracts.events import ended_subject
from libs.runtime.background import background_tasks
from libs.storage import batches, jobs
from libs.storage.database.tables import Batch, Job

FIRST_READ_S = 0.25
READ_EVERY_S = 1.0


class EventStreams:
    """The waiters of this process, by job or batch."""

    def __init__(self) -> None:
        self._waiting: defaultdict[UUID | None, set[asyncio.Event]] = defaultdict(set)
        self._stopping = False

    def stop(self) -> None:
        """End all waits; each returns the current state."""
        self._stopping = True
        for events in self._waiting.values():
            for event in events:
                event.set()

    @asynccontextmanager
    async def listening(self, broker: Broker) -> AsyncGenerator[None]:
        """Listen to events inside the block."""
        async with background_tasks(self._listen(broker)):
            yield

    async def ended(self, job: Job, *, within_s: float) -> Job:
        """Wait for a job that was just stored or read, and return its state after its end or the timeout.

        The first read is delayed, because the worker needs the database at that moment.
        """
        if job.status not in jobs.UNFINISHED:
            return job
        deadline = asyncio.get_running_loop().time() + within_s
        with self._woken_by(job.id) as event, suppress(TimeoutError):
            async with asyncio.timeout(min(FIRST_READ_S, within_s)):
                await event.wait()
        left_s = deadline - asyncio.get_running_loop().time()
        async with aclosing(self.states(job.owner, job.id, within_s=left_s)) as states:
            async for state in states:
                if state.status not in jobs.UNFINISHED:
                    return state
        return await jobs.owned_by(job.owner, job.id)

    async def states(self, owner: int, job_id: UUID, *, within_s: float) -> AsyncGenerator[Job, None]:
        """Yield the job now and after every change, until it has ended or the time is over."""
        deadline = asyncio.get_running_loop().time() + within_s
        last: tuple[str, int] | None = None
        with self._woken_by(job_id) as event:
            while True:
                event.clear()
                job = await jobs.owned_by(owner, job_id)
                if (job.status, job.attempts) != last:
                    last = (job.status, job.attempts)
                    yield job
                left_s = deadline - asyncio.get_running_loop().time()
                if job.status not in jobs.UNFINISHED or left_s <= 0 or self._stopping:
                    return
                try:
                    async with asyncio.timeout(min(READ_EVERY_S, left_s)):
                        await event.wait()
                except TimeoutError:
                    continue

    async def batch_states(
        self, owner: int, batch_id: UUID, *, within_s: float
    ) -> AsyncGenerator[Batch, None]:
        """Yield the batch now and after every change, until it ends, is deleted, or the time is over."""
        deadline = asyncio.get_running_loop().time() + within_s
        last: tuple[str, int, int] | None = None
        with self._woken_by(batch_id) as event:
            while True:
                event.clear()
                try:
                    batch = await batches.owned_by(owner, batch_id)
                except batches.BatchNotFound:
                    return
                state = (batch.status, batch.completed, batch.failed)
                if state != last:
                    last = state
                    yield batch
                left_s = deadline - asyncio.get_running_loop().time()
                if batch.status not in batches.UNFINISHED or left_s <= 0 or self._stopping:
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(READ_EVERY_S, left_s)):
                        await event.wait()

    @contextmanager
    def _woken_by(self, job_id: UUID) -> Generator[asyncio.Event]:
        event = asyncio.Event()
        self._waiting[job_id].add(event)
        try:
            yield event
        finally:
            self._waiting[job_id].discard(event)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    async def _listen(self, broker: Broker) -> None:
        async with broker.events("job.*", "batch.*") as events:
            async for message in events:
                for waiter in self._waiting.get(ended_subject(message.body), ()):
                    waiter.set()
