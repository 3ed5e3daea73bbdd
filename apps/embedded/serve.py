"""All of Darkroom in one process: nothing to install but Python."""

import asyncio

from apps.api.server import serve_api
from apps.scheduler.scheduler import scheduling
from apps.worker.consumer import Worker
from libs.backends import open_backends
from libs.runtime.scratch import lock_file
from libs.settings import Settings
from libs.storage import jobs, webhook_dispatch
from libs.storage.database.connection import migrate


class AlreadyRunning(Exception):
    """Another process serves this data directory."""


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Migrate, then run API, worker and scheduler until `stop`.

    Raises:
        AlreadyRunning: The data directory is in use.
    """
    if lock_file(settings.data_dir / "darkroom.lock") is None:
        raise AlreadyRunning(f"another process serves {settings.data_dir}")
    async with open_backends(settings) as backends:
        await migrate(backends.database)
        if settings.embedded:
            # The broker in memory starts empty, and nobody else works this database.
            await jobs.publish_all_soon()
            await webhook_dispatch.end_leases()
        async with Worker(backends).running(), scheduling(backends):
            await serve_api(backends, stop)
