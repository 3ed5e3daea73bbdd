"""The process that delivers images by URL: its application, and its server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.di import Provide
from litestar.types import ASGIApp

from apps.delivery.deliver import Deliver
from apps.http.health import HealthChecks
from apps.http.mounts import with_mounted
from apps.http.request_measure import with_measure
from apps.http.server import serve_http
from libs.backends import Backends
from libs.delivery.address import PREFIX


async def serve_delivery(backends: Backends, stop: asyncio.Event) -> None:
    """Serve addresses below `/t/`, and health checks, until `stop`."""
    async with delivering(backends, started=True) as deliver:
        await serve_http(with_mounted(_health_app(backends), PREFIX, deliver), backends.settings, stop)


@asynccontextmanager
async def delivering(backends: Backends, *, started: bool = False) -> AsyncGenerator[ASGIApp]:
    """Provide the application for addresses below `/t/`, for a server that another app may run.

    With `started` its render processes start now, so that the first request does not wait for them; without,
    they start with it.
    """
    deliver = Deliver(backends)
    starting = asyncio.create_task(deliver.start()) if started else None
    try:
        yield with_measure(deliver, PREFIX)
    finally:
        if starting is not None:
            await asyncio.wait([starting])
        await deliver.close()


def _health_app(backends: Backends) -> ASGIApp:
    return Litestar(
        route_handlers=[HealthChecks],
        dependencies={"backends": Provide(lambda: backends, sync_to_thread=False)},
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
