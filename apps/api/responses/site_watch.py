"""The overview of the site, computed once however many operators look at it.

A part is read again when somebody asks for it, at most every few seconds, and after a rest of ten times as
long as the last reading took: large tables never keep a tenth of the database busy.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from libs.contracts.views.operators import (
    FailureView,
    MinuteView,
    QueueView,
    SiteOverview,
    SiteTotals,
    StoredView,
)
from libs.jobs.publish import QUEUES
from libs.storage import site_activity
from libs.storage.database.tables import now

QUICK_S, SLOW_S = 2.0, 10.0
REST = 10  # times the duration of a reading

T = TypeVar("T")


class Paced(Generic[T]):
    """A value that is read at a limited pace; callers that come in between get the last one."""

    def __init__(self, read: Callable[[], Awaitable[T]], *, every_s: float) -> None:
        self._read, self._every_s = read, every_s
        self._reading = asyncio.Lock()
        self._value: T | None = None
        self._due = 0.0

    async def get(self) -> T:
        """Return the value.

        Raises:
            DatabaseUnavailable: The database does not answer; the next call reads again.
        """
        clock = asyncio.get_running_loop().time
        async with self._reading:
            if self._value is None or clock() >= self._due:
                began = clock()
                self._value = await self._read()
                self._due = clock() + max(self._every_s, REST * (clock() - began))
            return self._value


class SiteWatch:
    """What one process knows of the whole site."""

    def __init__(self) -> None:
        self._queues = Paced(site_activity.queues, every_s=QUICK_S)
        self._failures = Paced(site_activity.failures, every_s=QUICK_S)
        self._minutes = Paced(self._last_hour, every_s=QUICK_S)
        self._stored = Paced(site_activity.stored, every_s=SLOW_S)
        self._totals = Paced(site_activity.totals, every_s=QUICK_S)

    async def overview(self) -> SiteOverview:
        """Return the current overview.

        Raises:
            DatabaseUnavailable: The database does not answer.
        """
        return SiteOverview(
            at=now(),
            queues=tuple(map(_queue, await self._queues.get())),
            failures=tuple(
                FailureView(error_code=one.error_code, jobs=one.jobs) for one in await self._failures.get()
            ),
            minutes=await self._minutes.get(),
            stored=tuple(map(_stored, await self._stored.get())),
            totals=_totals(await self._totals.get()),
        )

    async def _last_hour(self) -> tuple[MinuteView, ...]:
        unfinished = sum(one.waiting + one.held + one.running for one in await self._queues.get())
        return tuple(map(_minute, await site_activity.last_hour(unfinished)))


def _queue(found: site_activity.Queue) -> QueueView:
    return QueueView(
        queue=QUEUES[found.kind, found.priority].value,
        kind=found.kind,
        priority=found.priority,
        waiting=found.waiting,
        held=found.held,
        running=found.running,
        oldest_waiting_at=found.oldest,
    )


def _minute(found: site_activity.Minute) -> MinuteView:
    return MinuteView(
        at=found.at,
        requested=found.requested,
        completed=found.completed,
        failed=found.failed,
        unfinished=found.unfinished,
    )


def _stored(found: site_activity.Stored) -> StoredView:
    return StoredView(
        status=found.status, retention=found.retention, images=found.images, size_bytes=found.bytes
    )


def _totals(found: site_activity.Totals) -> SiteTotals:
    return SiteTotals(
        accounts=found.accounts,
        open_batches=found.open_batches,
        pending_deliveries=found.pending_deliveries,
        failed_deliveries=found.failed_deliveries,
        set_aside=found.set_aside,
        rendition_bytes=found.rendition_bytes,
    )
