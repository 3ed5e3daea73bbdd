"""The backends of a process: database, object store and broker, opened from the settings.

This is the only module that knows which implementations are in use.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

from libs.broker import Broker, open_broker
from libs.contracts.views.health import Health
from libs.outbound import Fetcher, FetchLimits, Guard
from libs.runtime import tracing
from libs.runtime.disk import StorageFull, free_bytes
from libs.runtime.scratch import scratch_directory
from libs.runtime.threads import MAINTENANCE
from libs.settings import Settings
from libs.storage.database.connection import open_database, ping
from libs.storage.database.engine import Engine
from libs.storage.objects import ObjectStore, open_objects
from libs.storage.objects.traced import TracedObjects

HEALTH_TIMEOUT_S = 3.0


class Backends:
    """The settings and the open backends of one process."""

    def __init__(
        self, settings: Settings, database: Engine, objects: ObjectStore, broker: Broker, scratch: Path
    ) -> None:
        self.settings = settings
        self.database = database
        self.objects = objects
        self.broker = broker
        self.scratch = scratch  # a directory for this process's temporary files
        self.unrecorded: dict[str, float] = {}  # keys of objects that may have no row: monotonic times
        self.guard = Guard(ports=settings.fetch_ports, allow_networks=settings.fetch_allow_networks)

    def fetcher(self) -> Fetcher:
        """Return a client for users' URLs; enter it before use."""
        settings = self.settings
        limits = FetchLimits(
            timeout_s=settings.fetch_timeout_s,
            max_redirects=settings.fetch_max_redirects,
            max_bytes=settings.fetch_max_bytes,
            max_data_bytes=settings.max_upload_bytes,
        )
        return Fetcher(self.guard, limits, user_agent=settings.user_agent)

    async def health(self) -> Health:
        """Ask all three backends at once whether they work, and whether the disks have space left."""
        database, objects, broker, disk = await asyncio.gather(
            _ask(ping()), _ask(self.objects.ping()), _ask(self.broker.ping()), _ask(self._check_space())
        )
        return Health(
            status="ok" if database == objects == broker == disk == "ok" else "failing",
            database=database,
            objects=objects,
            broker=broker,
            disk=disk,
            edits="on" if self.settings.edits else "off",
        )

    async def _check_space(self) -> None:
        """Raise `StorageFull` if less than `min_free_bytes` are left for temporary files or objects."""
        free = [await MAINTENANCE.run(free_bytes, self.scratch), await self.objects.free_bytes()]
        if min(found for found in free if found is not None) < self.settings.min_free_bytes:
            raise StorageFull


@asynccontextmanager
async def open_backends(settings: Settings, *, declare: bool = True) -> AsyncGenerator[Backends]:
    """Open the three backends, and close them at the end of the block.

    The object store and the broker can be down; they are connected to when they are needed.

    Args:
        settings: Name the backends by their URLs.
        declare: Declare missing exchanges and queues at the broker.

    Raises:
        ValueError: A URL has an unknown scheme.
        DatabaseUnavailable: The database does not answer.
    """
    with scratch_directory(settings.data_dir / "tmp") as scratch:
        async with open_database(settings.database_url) as database:
            objects = open_objects(settings.objects_url, scratch)
            if tracing.is_on():
                objects = TracedObjects(objects)
            try:
                broker = await open_broker(settings.broker_url, declare=declare)
                try:
                    yield Backends(settings, database, objects, broker, scratch)
                finally:
                    await broker.close()
            finally:
                await objects.close()


async def _ask(ping: Awaitable[None]) -> str:
    try:
        async with asyncio.timeout(HEALTH_TIMEOUT_S):
            await ping
    except Exception as error:  # noqa: BLE001 - any error is the answer
        return f"failing: {type(error).__name__}"
    return "ok"
