"""Serve the HTTP API with uvicorn."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from socket import socket

from uvicorn import Config, Server

from apps.api.app import create_app
from apps.api.responses.event_streams import Live
from libs.backends import Backends

FINISH_S = 2  # time for running requests to finish after the server is asked to stop
CANCEL_S = 1  # time for their handlers to end after that, once their connections are closed


class _Server(Server):
    """A uvicorn server that leaves signals to the process, which it can share with other apps.

    Connections whose requests do not finish in time are closed, as if the client had disconnected. Their
    handlers end in order; a cancelled handler would respond with 500.
    """

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        closing = asyncio.get_running_loop().call_later(FINISH_S, self._close_connections)
        await super().shutdown(sockets)
        closing.cancel()

    def _close_connections(self) -> None:
        for connection in self.server_state.connections:
            connection.transport.abort()


async def serve_api(backends: Backends, stop: asyncio.Event) -> None:
    """Serve the API until `stop` is set; then finish running requests within `FINISH_S` seconds."""
    settings, live = backends.settings, Live()
    server = _Server(
        Config(
            create_app(backends, live),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=list(settings.trusted_proxies),
            timeout_graceful_shutdown=FINISH_S + CANCEL_S,
        )
    )
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:  # when cancelled too, by a loop of the same process that died: the server ends in order
        stopping.cancel()
        live.stop()
        server.should_exit = True
        await serving
