"""All of Darkroom in one process."""

import asyncio

from apps.api.server import serve_api
from apps.delivery.server import delivering
from apps.scheduler.scheduler import scheduling
from apps.worker.consumer import Worker
from libs.backends import open_backends
from libs.delivery.address import PREFIX
from libs.runtime.scratch import lock_file
from libs.settings import Settings
from libs.storage import due_jobs, webhook_dispatch
from libs.storage.database.migrate import migrate


class AlreadyRunning(Exception):
    """Another process uses this data directory."""

    code = "already_running"
    outcome = "permanent"


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Migrate the database, then run API, delivery, worker and scheduler until `stop`.

    Raises:
        AlreadyRunning: Another process uses the data directory.
    """
    if lock_file(settings.data_dir / "darkroom.lock") is None:
        raise AlreadyRunning(f"another process serves {settings.data_dir}")
    async with open_backends(settings) as backends:
        await migrate(backends.database)
        if settings.embedded:
            # The in-memory broker starts empty, and no other process works on this database.
            await due_jobs.publish_all_soon()
            await webhook_dispatch.expire_leases()
        async with Worker(backends).running(), scheduling(backends), delivering(backends) as deliver:
            await serve_api(backends, stop, mounted={PREFIX: deliver})
