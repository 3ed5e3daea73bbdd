"""Connections on which a test writes and reads bytes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tests.support.site import Site
from tests.support.waiting import WAIT_S

HEAD = b"GET /health/live HTTP/1.1\r\nHost: darkroom\r\n"
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(site: Site, sent: bytes = b"") -> AsyncGenerator[Stream]:
    """A raw connection on which this was sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    try:
        writer.write(sent)
        yield reader, writer
    finally:
        writer.close()


async def last_answer(stream: Stream, *, dripping: bytes = b"") -> bytes:
    """What comes until the server closes, while the client sends on until something comes."""
    reader, writer = stream
    received = bytearray()
    async with asyncio.timeout(WAIT_S):
        while True:
            reading = asyncio.create_task(reader.read(65536))
            while not reading.done():
                if not received:
                    writer.write(dripping)
                await asyncio.wait({reading}, timeout=0.2)
            try:
                data = await reading
            except ConnectionResetError:  # a byte reached the server after it had closed
                data = b""
            if not data:
                return bytes(received)
            received += data


async def is_alive(site: Site) -> bool:
    async with connected(site, HEAD + b"Connection: close\r\n\r\n") as stream:
        return (await last_answer(stream)).startswith(b"HTTP/1.1 200")
