"""Rows that requests wait for: one query reads them all, however many requests wait."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar
from uuid import UUID

from libs.storage.database.tables import Batch, Job

ROWS_AT_ONCE = 500  # ids in one query


R = TypeVar("R", Job, Batch)


class WatchedRows(Generic[R]):
    """The latest states of those rows of one table that requests wait for."""

    def __init__(self, read: Callable[[Sequence[UUID]], Awaitable[list[R]]]) -> None:
        self._read = read
        self._rows: dict[UUID, R | None] = {}
        self._waiting: defaultdict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._due: set[UUID] = set()

    def latest(self, row_id: UUID) -> R | None:
        """Return the latest state of a row that is waited for; None if it is gone."""
        return self._rows.get(row_id)

    @contextmanager
    def waiting(self, row: R) -> Generator[asyncio.Event]:
        """Wait inside the block for a row that was just read; the event is set each time it is read again."""
        event = asyncio.Event()
        self._rows[row.id] = row
        self._waiting[row.id].add(event)
        try:
            yield event
        finally:
            self._waiting[row.id].discard(event)
            if not self._waiting[row.id]:
                del self._waiting[row.id], self._rows[row.id]

    def note_change(self, row_id: UUID) -> bool:
        """Have the next `refresh` read a row; return whether a request waits for it."""
        if row_id in self._rows:
            self._due.add(row_id)
            return True
        return False

    async def refresh(self, *, everything: bool) -> None:
        """Read the rows that changed, or all, and wake the requests that wait for them.

        Raises:
            DatabaseUnavailable: The database does not answer; the next call reads what this one did not.
        """
        if everything:
            self._due.update(self._rows)
        while self._due:
            ids = [row_id for row_id, _ in zip(self._due, range(ROWS_AT_ONCE), strict=False)]
            found = {row.id: row for row in await self._read(ids)}
            self._due.difference_update(ids)
            for row_id in ids:
                if row_id in self._rows:
                    self._rows[row_id] = found.get(row_id)
                    self._wake(row_id)

    def wake_all(self) -> None:
        """Wake all requests that wait."""
        for row_id in self._waiting:
            self._wake(row_id)

    def _wake(self, row_id: UUID) -> None:
        for event in self._waiting.get(row_id, ()):
            event.set()
