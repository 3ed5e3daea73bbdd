"""Waiting for jobs and batches: one subscription to events and one reader a process, any number of waiters.

Events only shorten the wait. All rows that are waited for are read every second as well, together, in case an
event is lost.
"""

import asyncio
import weakref
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import ClassVar
from uuid import UUID

import structlog

from apps.api.responses.account_feeds import AccountFeeds, Feed
from apps.api.responses.watched_rows import WatchedRows
from libs.broker import Broker
from libs.contracts.events import ended_subject
from libs.contracts.outcome import Outcome
from libs.runtime.background import supervised_loops
from libs.storage import batches, jobs
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import Batch, Job

READ_EVERY_S = 1.0
QUIET_S = 15.0  # the longest that a stream of an account is silent: proxies close what is
REMEMBERED = 1000  # ends of jobs and batches

log = structlog.get_logger(__name__)


class TooManyStreams(Exception):
    """The account has as many event streams open as it may have. Close one first."""

    code = "too_many_streams"
    outcome: ClassVar[Outcome] = "refused"


class OpenStream:
    """A stream that counts while something refers to it: a response may end before it begins."""


class EventStreams:
    """The waiters of this process, by job or batch."""

    def __init__(self, *, per_account: int) -> None:
        self._per_account = per_account
        self._open: Counter[int] = Counter()
        self._jobs = WatchedRows(jobs.by_ids)
        self._batches = WatchedRows(batches.by_ids)
        self._accounts = AccountFeeds()
        self._changed = asyncio.Event()
        self._ended: OrderedDict[UUID, None] = OrderedDict()  # the latest: some end before somebody waits
        self._stopping = False
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """End all waits; each returns the current state."""
        self._stopping = True
        self._stop.set()
        self._jobs.wake_all()
        self._batches.wake_all()
        self._accounts.wake_all()

    async def stopped_within(self, seconds: float) -> bool:
        """Wait, at most until all streams are to end; return whether they are."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        return self._stopping

    def open_stream(self, owner: int) -> OpenStream:
        """Count one more stream of the account, until the object that is returned is gone.

        Raises:
            TooManyStreams: The account has as many as it may have.
        """
        if self._open[owner] >= self._per_account:
            raise TooManyStreams(f"an account may have {self._per_account} event streams open")
        self._open[owner] += 1
        stream = OpenStream()
        weakref.finalize(stream, self._close_stream, owner)
        return stream

    def _close_stream(self, owner: int) -> None:
        self._open[owner] -= 1
        if not self._open[owner]:
            del self._open[owner]

    @asynccontextmanager
    async def listening(self, broker: Broker) -> AsyncGenerator[None]:
        """Listen to events and read rows inside the block."""
        loops = {"events": self._listen(broker), "waiting_rows": self._read()}
        async with supervised_loops(loops):
            yield

    async def ended(self, job: Job, *, within_s: float) -> Job:
        """Wait for a job that was just stored or read, and return its state after its end or the timeout."""
        if job.status not in jobs.UNFINISHED:
            return job
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        with self._jobs.waiting(job) as event:
            if job.id in self._ended:
                self._note_change(job.id)
            while (left_s := deadline - loop.time()) > 0 and not self._stopping:
                await _set_within(event, left_s)
                state = self._jobs.latest(job.id)
                if state is None:
                    break
                if state.status not in jobs.UNFINISHED:
                    return state
        return await jobs.shown(job.owner, job.id)

    async def states(self, job: Job, *, within_s: float) -> AsyncGenerator[Job, None]:
        """Yield a job that was just read, and its state after every change, until its end or the timeout."""
        deadline = asyncio.get_running_loop().time() + within_s
        last: tuple[str, int] | None = None
        with self._jobs.waiting(job) as event:
            self._note_change(job.id)
            while (state := self._jobs.latest(job.id)) is not None:
                if (state.status, state.attempts) != last:
                    last = (state.status, state.attempts)
                    yield state
                left_s = deadline - asyncio.get_running_loop().time()
                if state.status not in jobs.UNFINISHED or left_s <= 0 or self._stopping:
                    return
                await _set_within(event, left_s)

    async def batch_states(self, batch: Batch, *, within_s: float) -> AsyncGenerator[Batch, None]:
        """Yield a batch that was just read, and its state after every change, until it ends or is deleted."""
        deadline = asyncio.get_running_loop().time() + within_s
        last: tuple[str, int, int] | None = None
        with self._batches.waiting(batch) as event:
            self._note_change(batch.id)
            while (state := self._batches.latest(batch.id)) is not None:
                if (state.status, state.completed, state.failed) != last:
                    last = (state.status, state.completed, state.failed)
                    yield state
                left_s = deadline - asyncio.get_running_loop().time()
                if state.status not in batches.UNFINISHED or left_s <= 0 or self._stopping:
                    return
                await _set_within(event, left_s)

    async def account_changes(self, owner: int, *, within_s: float) -> AsyncGenerator[tuple[Feed, int], None]:
        """Yield the feed of an account and the number of the last change that was seen, until the timeout.

        It is yielded at first with 0; again after each change, and after each `QUIET_S` without one.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        seen: int | None = None
        with self._accounts.watching(owner) as (feed, event):
            self._changed.set()
            quiet_at = loop.time() + QUIET_S
            while not self._stopping and (left_s := deadline - loop.time()) > 0:
                is_new = seen is None or feed.nth > seen or loop.time() >= quiet_at
                if feed.read_at is not None and is_new:
                    now_seen = feed.nth
                    yield feed, seen or 0
                    seen = now_seen
                    quiet_at = loop.time() + QUIET_S
                await _set_within(event, min(left_s, quiet_at - loop.time()))

    def _note_change(self, row_id: UUID | None) -> None:
        if row_id is None:
            return
        waits = [rows.note_change(row_id) for rows in (self._jobs, self._batches)]
        if self._accounts.note_end(row_id) or any(waits):
            self._changed.set()

    async def _read(self) -> None:
        """Read what changed as soon as it did, and everything once a second."""
        loop = asyncio.get_running_loop()
        next_full = loop.time() + READ_EVERY_S
        while True:
            await _set_within(self._changed, next_full - loop.time())
            everything = loop.time() >= next_full
            if everything:
                next_full = loop.time() + READ_EVERY_S
            try:
                await self._jobs.refresh(everything=everything)
                await self._batches.refresh(everything=everything)
                await self._accounts.refresh(everything=everything)
            except DatabaseUnavailable as error:
                log.warning("waiting_rows_unread", error=str(error))
                await asyncio.sleep(READ_EVERY_S)
            except Exception:
                log.exception("waiting_rows_unread")
                await asyncio.sleep(READ_EVERY_S)

    async def _listen(self, broker: Broker) -> None:
        async with broker.events("job.*", "batch.*") as events:
            async for message in events:
                ended = ended_subject(message.body)
                self._note_change(ended)
                if ended is not None:
                    self._ended[ended] = None
                    if len(self._ended) > REMEMBERED:
                        self._ended.popitem(last=False)


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set or the timeout passes, and clear it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0, seconds)):
            await event.wait()
    event.clear()
