"""Publishing what batches have parked: the scheduler starts hosts, workers let the next job out.

A batch of any size makes no burst: of each host only a few jobs are out at any moment, over all workers.
"""

from collections.abc import Sequence

import structlog
from yarl import URL

from libs.backends import Backends
from libs.jobs.publish import publish
from libs.outbound import is_data_url
from libs.storage import host_throttle
from libs.storage.database.tables import Job

WINDOW = 512  # jobs out, over all hosts
HOSTS_AT_ONCE = 128
HOST_CHARS = 255
NO_HOST = "data:"  # what stands for a host where the bytes are in the address itself

log = structlog.get_logger(__name__)


class ThrottleRelease:
    """Goes round the hosts that jobs wait for, so that many of them come to their turn."""

    def __init__(self) -> None:
        self._after = ""

    async def feed(self, backends: Backends) -> int:
        """Let out jobs for hosts that have room; how many."""
        room = WINDOW - await host_throttle.count_released(at_most=WINDOW)
        fed = 0
        for host in await self._hosts(backends) if room > 0 else ():
            fed += await _publish(
                await host_throttle.release(host, per_host=backends.settings.batch_per_host), backends
            )
            if fed >= room:
                break
        return fed

    async def _hosts(self, backends: Backends) -> list[str]:
        per_host = backends.settings.batch_per_host
        found = await host_throttle.hosts_with_room(per_host=per_host, after=self._after, limit=HOSTS_AT_ONCE)
        if not found and self._after:
            found = await host_throttle.hosts_with_room(per_host=per_host, after="", limit=HOSTS_AT_ONCE)
        self._after = found[-1] if len(found) == HOSTS_AT_ONCE else ""
        return found


async def release_next_job(host: str, backends: Backends) -> None:
    """Let out the next job for a host, one of whose fetches has just ended."""
    await _publish(await host_throttle.release_next(host), backends)


def host_of(url: str) -> str:
    """Whom a fetch of an address asks, in lower case and without the port."""
    if is_data_url(url):
        return NO_HOST
    return (URL(url.strip()).raw_host or "").rstrip(".").lower()[:HOST_CHARS]


async def _publish(release: Sequence[Job], backends: Backends) -> int:
    for job in release:
        await publish(job, backends)
    return len(release)
