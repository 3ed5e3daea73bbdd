"""The connections to an S3 server as a pool that metrics show."""

from time import monotonic
from typing import Any

from aiohttp import TCPConnector

from libs.runtime import metrics
from libs.runtime.metrics.pools import PoolState


class WatchedConnector(TCPConnector):
    """aiohttp's pool of connections, which says how full it is and how long requests wait for it."""

    def __init__(self, pool: str, **options: Any) -> None:  # noqa: ANN401 - as aiohttp's
        super().__init__(**options)
        self._pool = pool
        self._waiting = 0

    def state(self) -> PoolState:
        """Return the state of the pool; any thread may ask."""
        return PoolState(size=self.limit, used=len(self._acquired), waiting=self._waiting)

    async def _wait_for_available_connection(
        self,
        *arguments: Any,  # noqa: ANN401 - as aiohttp's
        **options: Any,  # noqa: ANN401
    ) -> None:
        """Wait as aiohttp does where all connections are in use."""
        self._waiting += 1
        asked_s = monotonic()
        try:
            await super()._wait_for_available_connection(*arguments, **options)
        finally:
            self._waiting -= 1
            metrics.POOL_WAIT.observe(monotonic() - asked_s, self._pool)
