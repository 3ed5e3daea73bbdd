"""Fetching for batch jobs: hosts that ask for it are paused, and each fetch releases its host's next job."""

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

MIN_PAUSE_S = 1.0

log = structlog.get_logger(__name__)


class RateLimitedFetch:
    """Fetches the URL of one batch job from `host`; `fetch` is a `Fetch`."""

    def __init__(self, fetcher: Fetcher, host: str, backends: Backends) -> None:
        self._fetcher = fetcher
        self._host = host
        self._backends = backends

    async def fetch(self, url: str, target: Path, *, known: Validators | None = None) -> Fetched | None:
        """Fetch as `Fetcher.fetch` does, then release the host's next job, also after an error."""
        try:
            fetched = await self._fetcher.fetch(url, target, known=known)
        except asyncio.CancelledError:
            raise  # the worker stops, or the job was cancelled: the scheduler releases the next job
        except FetchError as error:
            if error.retry_after_s is not None:
                until = pause_until(error.retry_after_s)
                await rows.pause(self._host, until)
                log.info("host_paused", host=self._host, until=until.isoformat())
            await self._release_next()
            raise
        await self._release_next()
        return fetched

    async def _release_next(self) -> None:
        try:
            await throttle.release_next_job(self._host, self._backends)
        except DatabaseUnavailable as error:
            log.warning(
                "next_job_not_released", host=self._host, error=str(error)
            )  # the scheduler releases it


def pause_until(retry_after_s: float) -> datetime:
    """Return when a host that asked for a wait is contacted again: after a second at least."""
    return now() + timedelta(seconds=max(retry_after_s, MIN_PAUSE_S))
