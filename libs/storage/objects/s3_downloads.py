"""Downloads from an S3 server: slow clients share a limited number of connections.

A download keeps its connection while there are free ones. When there are none, the one whose client has been
slow for longest gives its connection back. It continues with a new request for the rest once its client has
read what it was sent.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from time import monotonic

from aiohttp import ClientResponse, StreamReader

from libs.runtime import metrics
from libs.runtime.metrics.pools import PoolState
from libs.runtime.threads import ServerBusy
from libs.storage.objects.port import CHUNK_BYTES
from libs.storage.objects.s3_errors import faults

IDLE_S = 0.5  # a client that has taken nothing for so long is slow
LOOK_AGAIN_S = 0.1
MAX_WAIT_S = 10.0  # for a connection

Get = Callable[[int, int | None], Awaitable[ClientResponse | None]]
"""Open the object from a byte on, for so many bytes or to its end; None when nothing is there."""


class Downloads:
    """The downloads of one process, at most `limit` of which have a connection of `pool`."""

    def __init__(self, pool: str, limit: int) -> None:
        self._pool = pool
        self._limit = limit
        self._lent = 0
        self._waiting = 0
        self._free = asyncio.Semaphore(limit)
        self._idle: dict[
            Download, float
        ] = {}  # that wait for their clients, and since when; the oldest first

    async def open(self, get: Get, start: int, length: int | None) -> "Download":
        """Open an object, or part of it.

        Raises:
            ServerBusy: No connection became free in time.
        """
        download = Download(self, get, start, length)
        await download.connect()
        return download

    async def take_connection(self) -> None:
        """Wait for a free connection; take it from a slow client's download if there is none.

        Raises:
            ServerBusy: None became free in time.
        """
        if self._free.locked():
            await self._wait_for_connection()
        else:
            await self._free.acquire()  # at once
        self._lent += 1

    def give_back_connection(self) -> None:
        """Let another download have a connection."""
        self._lent -= 1
        self._free.release()

    def state(self) -> PoolState:
        """Return the state of the pool; any thread may ask."""
        return PoolState(size=self._limit, used=self._lent, waiting=self._waiting)

    def note_idle(self, download: "Download") -> None:
        """Note that a download waits for its client from now on."""
        self._idle[download] = asyncio.get_running_loop().time()

    def note_busy(self, download: "Download") -> None:
        """Note that a download reads again, or has ended."""
        self._idle.pop(download, None)

    async def _wait_for_connection(self) -> None:
        self._waiting += 1
        asked_s = monotonic()
        try:
            async with asyncio.timeout(MAX_WAIT_S):
                while True:
                    self._make_room()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_AGAIN_S):
                            await self._free.acquire()
                            return
        except TimeoutError as error:
            raise ServerBusy("too many downloads are in progress") from error
        finally:
            self._waiting -= 1
            metrics.POOL_WAIT.observe(monotonic() - asked_s, self._pool)

    def _make_room(self) -> None:
        slowest = next(iter(self._idle.items()), None)
        if self._free.locked() and slowest is not None:
            download, since = slowest
            if asyncio.get_running_loop().time() - since >= IDLE_S:
                self.note_busy(download)
                download.disconnect()


class Download:
    """An object, or part of it, on its way to one client."""

    def __init__(self, downloads: Downloads, get: Get, start: int, length: int | None) -> None:
        self._downloads = downloads
        self._get = get
        self._position = start
        self._left = length  # None: to the end
        self._response: ClientResponse | None = None

    async def connect(self) -> None:
        """Request what is left of the object."""
        await self._downloads.take_connection()
        try:
            self._response = await self._get(self._position, self._left)
        finally:
            if self._response is None:
                self._downloads.give_back_connection()
        if self._response is None:
            self._left = 0
        elif self._left is None:
            self._left = self._response.content_length

    def close(self) -> None:
        """End the download."""
        self._downloads.note_busy(self)
        self.disconnect()

    def disconnect(self) -> None:
        """Give the connection back until the client reads again; the server stops sending."""
        if self._response is not None:
            self._response.release()  # closes the connection unless the response was read to its end
            self._response = None
            self._downloads.give_back_connection()

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the bytes in chunks of at most `CHUNK_BYTES`."""
        while self._left != 0:
            if self._response is None:
                await self.connect()
                continue
            with faults():
                chunk = await read_chunk(self._response.content)
            if not chunk:
                return
            self._position += len(chunk)
            metrics.BYTES.add("read", by=len(chunk))
            if self._left is not None:
                self._left -= len(chunk)
            if self._left == 0:
                self.disconnect()  # the client may take its time over the last chunk
            self._downloads.note_idle(self)
            try:
                yield chunk
            finally:
                self._downloads.note_busy(self)


async def read_chunk(content: StreamReader) -> bytes:
    """Read a whole chunk or the rest: the network delivers small pieces, each of which costs a thread."""
    parts: list[bytes] = []
    missing = CHUNK_BYTES
    while missing and (part := await content.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
