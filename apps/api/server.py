"""The API as a server."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from uvicorn import Config, Server

from apps.api.app import create_app
from libs.backends import Backends

FINISH_S = 2  # what running requests get when the server is asked to end


class _Server(Server):
    """Leaves signals to the process: other apps may share it."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def serve_api(backends: Backends, stop: asyncio.Event) -> None:
    """Serve until `stop`."""
    settings = backends.settings
    server = _Server(
        Config(
            create_app(backends),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            timeout_graceful_shutdown=FINISH_S,
        )
    )
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.should_exit = True
    await serving
