"""The HTTP server of an app: uvicorn with limits, and with a stop that hangs on no client."""

import asyncio
import math
from collections.abc import Callable, Generator
from contextlib import contextmanager
from socket import socket

from litestar.types import ASGIApp
from uvicorn import Server

from apps.http.connection_limits import (
    ConnectionConfig,
    ConnectionLimits,
    connections_within,
    raise_file_limit,
)
from libs.settings import Settings

CANCEL_S = 1  # for the handlers of running requests after their connections are closed


class _Server(Server):
    """A server that leaves signals to the process, which other apps may share.

    Args:
        config: Of uvicorn.
        drain_s: For running requests after the stop signal.

    At shutdown, connections that do not finish in time are closed, so that their handlers end as if the
    client had disconnected. A cancelled handler would answer 500.
    """

    def __init__(self, config: ConnectionConfig, drain_s: float) -> None:
        super().__init__(config)
        self._drain_s = drain_s

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        closing = asyncio.get_running_loop().call_later(self._drain_s, self._close_connections)
        await super().shutdown(sockets)
        closing.cancel()

    def _close_connections(self) -> None:
        for connection in self.server_state.connections:
            connection.transport.abort()


async def serve_http(
    app: ASGIApp, settings: Settings, stop: asyncio.Event, *, on_stop: Callable[[], None] | None = None
) -> None:
    """Serve an app until `stop`; call `on_stop` before the server waits for its clients."""
    limits = ConnectionLimits(
        max_connections=connections_within(settings.max_connections, raise_file_limit()),
        head_s=settings.request_head_s,
    )
    server = _Server(
        ConnectionConfig(
            app,
            limits=limits,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            timeout_graceful_shutdown=math.ceil(settings.drain_s) + CANCEL_S,
        ),
        settings.drain_s,
    )
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:  # also when cancelled because another app of the process failed: the server shuts down in order
        stopping.cancel()
        if on_stop is not None:
            on_stop()
        server.should_exit = True
        await serving
