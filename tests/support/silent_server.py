"""A server that takes connections and never says a word."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


@asynccontextmanager
async def silent_server() -> AsyncGenerator[int]:
    """Serve on a free port of this machine, and yield it."""
    async with await asyncio.start_server(_say_nothing, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()
