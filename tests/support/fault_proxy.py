"""A network that can fall silent, or slow: connections stay open, nothing passes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Self

from yarl import URL


class Proxy:
    """Passes TCP on; after `swallow` only what connects from then on, between `hold` and `let_go` later."""

    def __init__(self, target: URL) -> None:
        self._target = target
        self._open: list[asyncio.StreamWriter] = []
        self._silent: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self.url = ""

    @classmethod
    @asynccontextmanager
    async def to(cls, url: str) -> AsyncGenerator[Self]:
        proxy = cls(URL(url))
        server = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
        proxy.url = str(proxy._target.with_port(server.sockets[0].getsockname()[1]))
        try:
            yield proxy
        finally:
            server.close()
            for writer in proxy._open:
                writer.transport.abort()
            await asyncio.gather(*proxy._tasks, return_exceptions=True)

    def swallow(self) -> None:
        self._silent.update(self._open)

    def hold(self) -> None:
        self._passing.clear()

    def let_go(self) -> None:
        self._passing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._target.host, self._target.port)
        self._open += [writer, far_writer]
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._pass_on(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            await self._passing.wait()
            if sink not in self._silent:
                sink.write(data)
        if sink not in self._silent:
            sink.close()
