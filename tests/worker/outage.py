"""Backends that go away and come back."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Self
from urllib.parse import urlsplit, urlunsplit


class Wire:
    """A TCP proxy before a service; `cut` drops all connections and refuses new ones until `mend`."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        assert parts.hostname is not None
        assert parts.port is not None
        self._host, self._port = parts.hostname, parts.port
        self._parts = parts
        self._cut = False
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""
        self.refused = asyncio.Event()  # somebody wanted through while it was cut

    @classmethod
    @asynccontextmanager
    async def to(cls, target: str) -> AsyncGenerator[Self]:
        """`url` is the target's, through this wire."""
        wire = cls(target)
        server = await asyncio.start_server(wire._accept, "127.0.0.1", 0)
        credentials, at, _ = wire._parts.netloc.rpartition("@")
        port = server.sockets[0].getsockname()[1]
        wire.url = urlunsplit(wire._parts._replace(netloc=f"{credentials}{at}127.0.0.1:{port}"))
        try:
            yield wire
        finally:
            server.close()
            wire.cut()
            await asyncio.gather(*wire._tasks, return_exceptions=True)

    def cut(self) -> None:
        self._cut = True
        self.refused.clear()
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        self._cut = False

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            self.refused.set()
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            self._open.add(sink)
            task = asyncio.create_task(self._pass_on(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
        sink.close()
        self._open.discard(sink)
