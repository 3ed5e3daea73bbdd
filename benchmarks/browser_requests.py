"""Measure what `DARKROOM_CORS_ORIGINS` and the API's description add to a request: `make bench-keys`.

Two sites differ in that setting alone, and run at once. The same request, from a page's origin, goes to both
in random order. Then the site with CORS builds its descriptions, and both are compared once more.
"""

import asyncio
import random
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.main_job import account
from tests.support.client import Client
from tests.support.site import running_site

ROUNDS, WARM_UP = 1500, 100
PATHS = ("/health/live", "/api/images?limit=1")
ORIGIN = "https://shop.example"


async def timed_ms(client: Client, path: str) -> float:
    """Return the milliseconds of one request."""
    started = time.perf_counter()
    answer = await client.get(path, headers={"Origin": ORIGIN})
    assert answer.status == 200, answer
    return (time.perf_counter() - started) * 1000


async def interleaved(clients: Sequence[Client], path: str, rounds: int) -> list[float]:
    """Return the median of each client's requests, which take turns."""
    times: list[list[float]] = [[] for _ in clients]
    turns = list(range(len(clients)))
    for _ in range(rounds):
        random.shuffle(turns)
        for turn in turns:
            times[turn].append(await timed_ms(clients[turn], path))
    return [median(of_one) for of_one in times]


async def compared(clients: Sequence[Client], described: str) -> None:
    """Print a line for each path."""
    for path in PATHS:
        await interleaved(clients, path, WARM_UP)
        without, with_cors = await interleaved(clients, path, ROUNDS)
        ratio = with_cors / without
        sys.stdout.write(
            f"{path}, {described}: p50 {without:.2f} and {with_cors:.2f} ms, ratio {ratio:.2f}\n"
        )


async def main() -> None:
    """Compare both sites before and after one of them has built its descriptions."""
    async with AsyncExitStack() as stack:
        clients: list[Client] = []
        for origins in ({}, {"CORS_ORIGINS": ORIGIN}):
            folder = Path(stack.enter_context(TemporaryDirectory()))
            site = await stack.enter_async_context(running_site("embedded", folder, **origins))
            clients.append(await stack.enter_async_context(account(site)))
        allowed = await clients[1].get(PATHS[0], headers={"Origin": ORIGIN})
        assert allowed.headers["Access-Control-Allow-Origin"] == ORIGIN
        await compared(clients, "without and with CORS")
        for document in ("/schema/openapi.json", "/schema/legacy/openapi.json"):
            assert (await clients[1].get(document)).status == 200
        await compared(clients, "without, and with CORS and the descriptions")


if __name__ == "__main__":
    asyncio.run(main())
