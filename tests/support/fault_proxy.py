"""A TCP proxy in front of a service, to simulate faults of the network."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Self
from urllib.parse import urlsplit, urlunsplit

BLOCK_BYTES = 65_536


class FaultProxy:
    """A proxy that passes everything on, until a test asks for a fault.

    * `cut` drops all connections and refuses new ones, until `restore`.
    * `silence` keeps the connections open, but nothing passes through those that exist; new ones work.
    * `pause` keeps all connections open and holds back what is sent, until `resume`.
    * `lose_answer_to` passes on the next request with these bytes, and then drops its connection.
    """

    def __init__(self, target_url: str) -> None:
        target = urlsplit(target_url)
        assert target.hostname is not None
        assert target.port is not None
        self._target = target
        self._address = (target.hostname, target.port)
        self._cut = False
        self._passing = asyncio.Event()
        self._passing.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._silent: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._losing: set[asyncio.StreamWriter] = set()
        self._unanswered: bytes | None = None
        self.lost = asyncio.Event()  # an answer was lost since the last `lose_answer_to`
        self.url = ""
        self.refused = asyncio.Event()  # set when a connection was refused since the last `cut`

    @classmethod
    @asynccontextmanager
    async def to(cls, target_url: str) -> AsyncGenerator[Self]:
        """Open a proxy whose `url` is the target's with another host and port."""
        proxy = cls(target_url)
        server = await asyncio.start_server(proxy._accept, "127.0.0.1", 0)
        credentials, at, _ = proxy._target.netloc.rpartition("@")
        port = server.sockets[0].getsockname()[1]
        proxy.url = urlunsplit(proxy._target._replace(netloc=f"{credentials}{at}127.0.0.1:{port}"))
        try:
            yield proxy
        finally:
            server.close()
            proxy.cut()
            proxy.resume()
            await asyncio.gather(*proxy._tasks, return_exceptions=True)

    def cut(self) -> None:
        self._cut = True
        self.refused.clear()
        for writer in self._open:
            writer.transport.abort()

    def restore(self) -> None:
        self._cut = False

    def silence(self) -> None:
        self._silent.update(self._open)

    def pause(self) -> None:
        self._passing.clear()

    def resume(self) -> None:
        self._passing.set()

    def lose_answer_to(self, request: bytes) -> None:
        self.lost.clear()
        self._unanswered = request

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            self.refused.set()
            writer.transport.abort()
            return
        target_reader, target_writer = await asyncio.open_connection(*self._address)
        self._open |= {writer, target_writer}
        for work in (
            self._pass_on(reader, target_writer, answers=writer),
            self._pass_on(target_reader, writer),
        ):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self._cut:  # while the connection to the target was opened
            self.cut()

    async def _pass_on(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        *,
        answers: asyncio.StreamWriter | None = None,
    ) -> None:
        with suppress(OSError):
            while data := await source.read(BLOCK_BYTES):
                await self._passing.wait()
                if answers is not None and self._unanswered is not None and self._unanswered in data:
                    self._unanswered = None
                    self._losing.add(answers)
                if sink in self._losing:
                    sink.transport.abort()
                    self.lost.set()
                elif sink not in self._silent:
                    sink.write(data)
                    await sink.drain()
        if sink not in self._silent:
            sink.close()
            self._open.discard(sink)
