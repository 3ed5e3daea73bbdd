"""Attacks by connections that send almost nothing: half of a head, or a body one byte at a time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from apps.http.connection_limits import raise_file_limit
from benchmarks.load.attack import Attack, Attacked, Effect, counted, repeating

HALF_HEADS = 1100  # at once: more than the usual limit on open files
SLOW_BODIES = 200
HALF_HEAD = b"GET /health/live HTTP/1.1\r\nHost: local"
CUT_OFF = 0  # counted for a connection that is closed without an answer


@asynccontextmanager
async def half_heads(attacked: Attacked) -> AsyncGenerator[Effect]:
    """Open connections and send half of a head on each; open another one for each that is closed."""
    raise_file_limit()
    effect: Effect = {}

    async def half_head() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", attacked.site.port)
        try:
            writer.write(HALF_HEAD)
            counted(effect, _status(await reader.read()))
        finally:
            writer.transport.abort()

    async with repeating(HALF_HEADS, half_head):
        yield effect


@asynccontextmanager
async def slow_bodies(attacked: Attacked) -> AsyncGenerator[Effect]:
    """Upload one byte a second on each of many connections."""
    effect: Effect = {}
    head = (
        f"POST /api/images HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {attacked.attacker.token}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n--b\r\n"
    )

    async def slow_body() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", attacked.site.port)
        answer = asyncio.ensure_future(reader.read())
        try:
            writer.write(head.encode())
            while not answer.done():
                await asyncio.wait([answer], timeout=1)
                writer.write(b"C")
            counted(effect, _status(answer.result()))
        finally:
            answer.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await answer
            writer.transport.abort()

    async with repeating(SLOW_BODIES, slow_body):
        yield effect


def _status(answer: bytes) -> int:
    return int(answer.split()[1]) if answer else CUT_OFF


ATTACKS = (
    Attack(name="half heads", run=half_heads, settings={"REQUEST_HEAD_S": "3"}),
    Attack(name="slow bodies", run=slow_bodies, settings={"REQUEST_HEAD_S": "3"}),
)
