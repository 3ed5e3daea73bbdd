"""Fetching for batches: a host that asks for patience gets it, and the next in line goes when one is done."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from libs.backends import Backends
from libs.batches import throttle
from libs.outbound import Fetched, Fetcher, FetchError, Validators
from libs.storage import host_throttle as rows
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import now

MIN_PAUSE_S, MAX_PAUSE_S = 1.0, 3600.0

log = structlog.get_logger(__name__)


class RateLimitedFetch:
    """Fetches one job's URL from `host`; `fetch` is a `Fetch`."""

    def __init__(self, fetcher: Fetcher, host: str, backends: Backends) -> None:
        self._fetcher = fetcher
        self._host = host
        self._backends = backends

    async def fetch(self, url: str, target: Path, *, known: Validators | None = None) -> Fetched | None:
        """As `Fetcher.fetch`. Afterwards, whatever came of it, the host has room for another."""
        try:
            fetched = await self._fetcher.fetch(url, target, known=known)
        except asyncio.CancelledError:
            raise  # the worker stops, or nobody wants the job: the scheduler notices that there is room
        except FetchError as error:
            if error.retry_after_s is not None:
                until = pause_until(error.retry_after_s)
                await rows.pause(self._host, until)
                log.info("host_paused", host=self._host, until=until.isoformat())
            await self._next()
            raise
        await self._next()
        return fetched

    async def _next(self) -> None:
        try:
            await throttle.release_next_job(self._host, self._backends)
        except DatabaseUnavailable as error:
            log.warning("next_not_let_out", host=self._host, error=str(error))  # the scheduler does it


def pause_until(asked_s: float) -> datetime:
    """When a host that asked for `asked_s` seconds is asked again; an hour is the most that it gets."""
    return now() + timedelta(seconds=min(max(asked_s, MIN_PAUSE_S), MAX_PAUSE_S))
