"""Waiting for jobs and batches: one subscription a process, any number of waiters.

Events only shorten the wait. The row is asked first and, should an event get lost, every second.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from uuid import UUID

from libs.broker import Broker
from libs.contracts.events import ended
from libs.storage import batches, jobs
from libs.storage.tables import Batch, Job
from libs.tasks import beside

RECHECK_S = 1.0


class Live:
    """Knows who waits for which job or batch."""

    def __init__(self) -> None:
        self._waiting: defaultdict[UUID | None, set[asyncio.Event]] = defaultdict(set)

    @asynccontextmanager
    async def listening(self, broker: Broker) -> AsyncGenerator[None]:
        """Hear of ended jobs while inside."""
        async with beside(self._listen(broker)):
            yield

    async def ended(self, owner: int, job_id: UUID, *, within_s: float) -> Job:
        """The job as it is once it has ended, or after `within_s` seconds."""
        async with aclosing(self.states(owner, job_id, within_s=within_s)) as states:
            async for job in states:
                if job.status not in jobs.UNFINISHED:
                    return job
        return await jobs.owned_by(owner, job_id)

    async def states(self, owner: int, job_id: UUID, *, within_s: float) -> AsyncGenerator[Job, None]:
        """The job now, and again at every change, until it has ended or the time is over."""
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
                if job.status not in jobs.UNFINISHED or left_s <= 0:
                    return
                try:
                    async with asyncio.timeout(min(RECHECK_S, left_s)):
                        await event.wait()
                except TimeoutError:
                    continue

    async def batch_states(
        self, owner: int, batch_id: UUID, *, within_s: float
    ) -> AsyncGenerator[Batch, None]:
        """The batch now and again as it goes on, until it has ended, is deleted, or the time is over."""
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
                if batch.status not in batches.UNFINISHED or left_s <= 0:
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(RECHECK_S, left_s)):
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
            async for one in events:
                for event in self._waiting.get(ended(one.body), ()):
                    event.set()
