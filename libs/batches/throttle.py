"""The per-host throttle of batch jobs: releasing held jobs, which publishes them.

The scheduler releases the first jobs of each host, and workers the next one after each fetch. A batch of any
size causes no burst: at any moment only a few jobs of each host are released, over all workers.
"""

from collections.abc import Sequence

import structlog
from yarl import URL

from libs.backends import Backends
from libs.jobs.publish import publish
from libs.outbound import is_data_url
from libs.storage import host_throttle
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import Job

MAX_RELEASED = 512  # released jobs, over all hosts
HOSTS_PER_ROUND = 128
HOST_CHARS = 255
NO_HOST = "data:"  # the host of data: URLs, which contain their bytes

log = structlog.get_logger(__name__)


class ThrottleRelease:
    """Releases held jobs round by round, so that all hosts get their turn."""

    def __init__(self) -> None:
        self._after = ""

    async def release(self, backends: Backends) -> int:
        """Release jobs of hosts that have room; return how many."""
        room = MAX_RELEASED - await host_throttle.count_released(at_most=MAX_RELEASED)
        released = 0
        for host in await self._hosts(backends) if room > 0 else ():
            try:
                released += await _publish(
                    await host_throttle.release(host, per_host=backends.settings.batch_per_host), backends
                )
            except DatabaseUnavailable:
                raise
            except Exception:
                log.exception("host_not_released", host=host)  # the other hosts get their turn
            if released >= room:
                break
        return released

    async def _hosts(self, backends: Backends) -> list[str]:
        per_host = backends.settings.batch_per_host
        found = await host_throttle.hosts_with_room(
            per_host=per_host, after=self._after, limit=HOSTS_PER_ROUND
        )
        if not found and self._after:
            found = await host_throttle.hosts_with_room(per_host=per_host, after="", limit=HOSTS_PER_ROUND)
        self._after = found[-1] if len(found) == HOSTS_PER_ROUND else ""
        return found


async def release_next_job(host: str, backends: Backends) -> None:
    """Release the next job of a host, one of whose fetches has just ended."""
    await _publish(await host_throttle.release_next(host), backends)


def host_of(url: str) -> str:
    """Return the host of a URL, in lower case and without the port."""
    if is_data_url(url):
        return NO_HOST
    return (URL(url.strip()).raw_host or "").rstrip(".").lower()[:HOST_CHARS]


async def _publish(released: Sequence[Job], backends: Backends) -> int:
    for job in released:
        await publish(job, backends)
    return len(released)
