"""Delete old jobs, orders and batches in small steps, with a long pause after each walk over the tables."""

from datetime import timedelta

from libs.backends import Backends
from libs.storage.database.tables import now
from libs.storage.history import History

REST = timedelta(hours=1)


class HistoryPurge:
    """Deletes what ended more than `DARKROOM_HISTORY_DAYS` ago."""

    def __init__(self) -> None:
        self._history = History()
        self._rest_until = now()

    async def step(self, backends: Backends) -> int:
        """Delete a few rows, unless a walk over all of them has just ended; return how many."""
        if now() < self._rest_until:
            return 0
        deleted = await self._history.step(now() - timedelta(days=backends.settings.history_days))
        if deleted is None:
            self._rest_until = now() + REST
        return deleted or 0
