"""The API as a server."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from socket import socket

from uvicorn import Config, Server

from apps.api.app import create_app
from apps.api.responses.event_streams import Live
from libs.backends import Backends

FINISH_S = 2  # what running requests get when the server is asked to end
CANCEL_S = 1  # and what their handlers get once their clients are cut off


class _Server(Server):
    """Leaves signals to the process: other apps may share it.

    What does not finish in time is cut off, as if its client had gone: the handler ends in order. One that is
    cancelled would answer 500.
    """

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        cutting = asyncio.get_running_loop().call_later(FINISH_S, self._cut_off)
        await super().shutdown(sockets)
        cutting.cancel()

    def _cut_off(self) -> None:
        for connection in self.server_state.connections:
            connection.transport.abort()


async def serve_api(backends: Backends, stop: asyncio.Event) -> None:
    """Serve until `stop`."""
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
