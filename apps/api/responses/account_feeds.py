"""What changes among all jobs and batches of an account: one reader a process, any number of streams.

Each account that is watched has a feed: the latest states of what is under way and of what ended lately, in
the order of their changes. A stream that is slow misses states between, never the last.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from msgspec import Struct

from apps.api.responses.job_views import follow_of
from libs.storage import account_changes, batches, jobs
from libs.storage.database.tables import Batch, Job, now

KEPT = 1000  # states of ended jobs and batches in one feed
OVERLAP = timedelta(seconds=10)  # clocks differ, and rows are made before they are committed
IDS_AT_ONCE = 500


Version: TypeAlias = tuple[object, ...]


class State(Struct, frozen=True, kw_only=True):
    """The state of a job or batch; `row` is None once it is deleted."""

    nth: int  # of the changes of its feed
    id: UUID
    row: Job | Batch | None
    following: Job | None = None  # the job that follows a completed fetch

    @property
    def version(self) -> Version | None:
        """What tells two states of a row apart; None once it is deleted."""
        return self.row and _version(self.row, self.following)

    @property
    def unfinished(self) -> bool:
        return any(row is not None and _is_unfinished(row) for row in (self.row, self.following))


class Feed:
    """The states of one account, and the streams that wait for changes."""

    def __init__(self) -> None:
        self.states: OrderedDict[UUID, State] = OrderedDict()  # in the order of their changes
        self.nth = 0  # the number of the latest change
        self.forgotten = 0  # the number of the latest change that is not kept
        self.read_at: datetime | None = None  # when it was last complete; None before the first time
        self.waiting: set[asyncio.Event] = set()

    def since(self, nth: int) -> list[State]:
        """Return the states that changed after the change `nth`, in order."""
        found: list[State] = []
        for state in reversed(self.states.values()):
            if state.nth <= nth:
                break
            found.append(state)
        return found[::-1]

    def note(self, row: Job | Batch, following: Job | None) -> None:
        """Add the state of a row, if it is another than the one that is known."""
        known = self.states.get(row.id)
        if (
            known is None
            or known.row is None
            or _version(known.row, known.following) != _version(row, following)
        ):
            self._add(row.id, row, following)

    def note_deleted(self, row_id: UUID) -> None:
        """Add that a row of the feed is gone."""
        known = self.states.get(row_id)
        if known is not None and known.row is not None:
            self._add(row_id, None, None)

    def wake(self) -> None:
        for event in self.waiting:
            event.set()

    def _add(self, row_id: UUID, row: Job | Batch | None, following: Job | None) -> None:
        self.nth += 1
        self.states[row_id] = State(nth=self.nth, id=row_id, row=row, following=following)
        self.states.move_to_end(row_id)
        if len(self.states) > KEPT:
            self._forget_one()

    def _forget_one(self) -> None:
        oldest = next((state for state in self.states.values() if not state.unfinished), None)
        if oldest is not None:
            del self.states[oldest.id]
            self.forgotten = max(self.forgotten, oldest.nth)


class AccountFeeds:
    """The feeds of this process, by account."""

    def __init__(self) -> None:
        self._feeds: dict[int, Feed] = {}
        self._due: set[UUID] = set()  # rows of feeds that changed
        self._ended: set[UUID] = set()  # what ended and is in no feed: perhaps it ran again

    @property
    def unread(self) -> bool:
        """Whether a feed has not been read yet."""
        return any(feed.read_at is None for feed in self._feeds.values())

    @contextmanager
    def watching(self, owner: int) -> Generator[tuple[Feed, asyncio.Event]]:
        """Watch an account inside the block; the event is set at each change."""
        feed = self._feeds.setdefault(owner, Feed())
        event = asyncio.Event()
        feed.waiting.add(event)
        try:
            yield feed, event
        finally:
            feed.waiting.discard(event)
            if not feed.waiting:
                self._feeds.pop(owner, None)

    def note_end(self, row_id: UUID) -> bool:
        """Have the next `refresh` read a row; return whether a stream shows it already."""
        if any(row_id in feed.states for feed in self._feeds.values()):
            self._due.add(row_id)
            return True
        if self._feeds and len(self._ended) < IDS_AT_ONCE:
            self._ended.add(row_id)
        return False

    def wake_all(self) -> None:
        """Wake all streams."""
        for feed in self._feeds.values():
            feed.wake()

    async def refresh(self, *, everything: bool) -> None:
        """Read the rows that changed, or all that is under way, and wake the streams that show them.

        Raises:
            DatabaseUnavailable: The database does not answer; the next call reads what this one did not.
        """
        feeds = dict(self._feeds)
        if not feeds or not (everything or self._due or self.unread):
            self._due.clear()
            return
        before = {owner: (feed.nth, feed.read_at is None) for owner, feed in feeds.items()}
        if everything or self.unread:
            await self._read_live(feeds)
        else:
            await self._read(feeds, self._take_due())
        for owner, feed in feeds.items():
            if everything or (feed.nth, feed.read_at is None) != before[owner]:
                feed.wake()

    async def _read_live(self, feeds: dict[int, Feed]) -> None:
        moment = now()
        since = min((feed.read_at or moment for feed in feeds.values()), default=moment) - OVERLAP
        owners = list(feeds)
        rows = [
            *await account_changes.live_batches(owners, since),
            *await account_changes.live_jobs(owners, since),
        ]
        await _note(feeds, sorted(rows, key=lambda row: row.id))
        found = {row.id for row in rows}
        gone = {
            state.id
            for feed in feeds.values()
            for state in feed.states.values()
            if state.unfinished and (state.following is not None or state.id not in found)
        }
        ended, self._ended = self._ended, set()
        await self._read(feeds, [*(gone | ended | set(self._take_due()))])
        for feed in feeds.values():
            feed.read_at = moment

    async def _read(self, feeds: dict[int, Feed], ids: Sequence[UUID]) -> None:
        for start in range(0, len(ids), IDS_AT_ONCE):
            some = ids[start : start + IDS_AT_ONCE]
            rows = [*await batches.by_ids(some), *await jobs.by_ids(some)]
            await _note(feeds, rows)
            for row_id in {*some} - {row.id for row in rows}:
                for feed in feeds.values():
                    feed.note_deleted(row_id)

    def _take_due(self) -> list[UUID]:
        due, self._due = self._due, set()
        return list(due)


async def with_following(rows: Sequence[Job | Batch]) -> list[tuple[Job | Batch, Job | None]]:
    """Return rows with the jobs that follow those that are completed fetches."""
    follows = {row.id: follow for row in rows if isinstance(row, Job) and (follow := follow_of(row))}
    following = {job.id: job for job in await jobs.by_ids(list(follows.values()))}
    return [(row, following.get(follows[row.id]) if row.id in follows else None) for row in rows]


async def _note(feeds: dict[int, Feed], rows: Sequence[Job | Batch]) -> None:
    mine = [row for row in rows if row.owner in feeds and not (isinstance(row, Job) and row.batch)]
    for row, following in await with_following(mine):
        feeds[row.owner].note(row, following)


def _version(row: Job | Batch, following: Job | None) -> Version:
    if isinstance(row, Batch):
        return row.status, row.completed, row.failed
    return row.status, row.attempts, row.result, following and (following.status, following.attempts)


def _is_unfinished(row: Job | Batch) -> bool:
    return row.status in (jobs.UNFINISHED if isinstance(row, Job) else batches.UNFINISHED)
