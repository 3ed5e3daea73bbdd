"""The HTTP server of the API."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from socket import socket

from litestar.types import ASGIApp
from uvicorn import Server

from apps.api.app import create_app
from apps.api.connection_limits import (
    ConnectionConfig,
    ConnectionLimits,
    connections_within,
    raise_file_limit,
)
from apps.api.middleware.rate_limits import RequestCounts
from apps.api.responses.event_streams import EventStreams
from libs.backends import Backends
from libs.images.artifact import keep_removing_unrecorded
from libs.runtime.background import supervised_loops
from libs.settings import Settings

FORGET_COUNTS_S = 60
FINISH_S = 2  # for running requests after the stop signal
CANCEL_S = 1  # for their handlers after their connections are closed


class _Server(Server):
    """A server that leaves signals to the process, which other apps may share.

    At shutdown, connections that do not finish in time are closed, so that their handlers end as if the
    client had disconnected. A cancelled handler would answer 500.
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
    """Serve until `stop`.

    Raises:
        ExceptionGroup: A loop of the API died; the server has shut down in order.
    """
    event_streams = EventStreams(per_account=backends.settings.event_streams_per_account)
    counts = RequestCounts()
    loops = {
        "forget_counts": _forget(counts),
        "remove_unrecorded_objects": keep_removing_unrecorded(backends),
    }
    async with event_streams.listening(backends.broker), supervised_loops(loops):
        await _serve(create_app(backends, event_streams, counts), event_streams, backends.settings, stop)


async def _serve(app: ASGIApp, event_streams: EventStreams, settings: Settings, stop: asyncio.Event) -> None:
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
            timeout_graceful_shutdown=FINISH_S + CANCEL_S,
        )
    )
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:  # also when cancelled because another app of the process failed: the server shuts down in order
        stopping.cancel()
        event_streams.stop()
        server.should_exit = True
        await serving


async def _forget(counts: RequestCounts) -> None:
    while True:
        await asyncio.sleep(FORGET_COUNTS_S)
        counts.forget_past()
