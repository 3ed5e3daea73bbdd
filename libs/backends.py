"""Opens database, objects and broker from the settings: the only place that knows which they are."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from libs.broker import Broker, open_broker
from libs.outbound import Fetcher, FetchLimits, Guard
from libs.runtime.scratch import scratch_directory
from libs.settings import Settings
from libs.storage.database.connection import open_database
from libs.storage.database.engine import Engine
from libs.storage.objects import ObjectStore, open_objects


class Backends:
    """What an app works with."""

    def __init__(
        self, settings: Settings, database: Engine, objects: ObjectStore, broker: Broker, scratch: Path
    ) -> None:
        self.settings = settings
        self.database = database
        self.objects = objects
        self.broker = broker
        self.scratch = scratch  # this process's own directory for temporary files
        self.guard = Guard(ports=settings.fetch_ports, allow_networks=settings.fetch_allow_networks)

    def fetcher(self) -> Fetcher:
        """A session for users' URLs, to be entered."""
        settings = self.settings
        limits = FetchLimits(
            timeout_s=settings.fetch_timeout_s,
            max_redirects=settings.fetch_max_redirects,
            max_bytes=settings.fetch_max_bytes,
            max_data_bytes=settings.max_upload_bytes,
        )
        return Fetcher(self.guard, limits)


@asynccontextmanager
async def open_backends(settings: Settings, *, declare: bool = True) -> AsyncGenerator[Backends]:
    """Open all three for the time of the block.

    Unless told not to `declare`, make what the broker lacks of exchanges and queues.

    Object store and broker may be down: they are asked for when needed.

    Raises:
        ValueError: A URL is of no known kind.
    """
    with scratch_directory(settings.data_dir / "tmp") as scratch:
        async with open_database(settings.database_url) as database:
            objects = open_objects(settings.objects_url, scratch)
            try:
                broker = await open_broker(settings.broker_url, declare=declare)
                try:
                    yield Backends(settings, database, objects, broker, scratch)
                finally:
                    await broker.close()
            finally:
                await objects.close()
