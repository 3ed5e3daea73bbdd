"""Loops that run beside a block, and their sure end."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

INSIST_S = 1.0


@asynccontextmanager
async def beside(*loops: Coroutine[Any, Any, object], name: str | None = None) -> AsyncGenerator[None]:
    """Run `loops` in tasks of their own while inside; leaving ends them."""
    tasks = [asyncio.create_task(loop, name=name) for loop in loops]
    try:
        yield
    finally:
        await end(*tasks)


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until all of them have ended, however they do.

    Once is not enough: a wait by `asyncio.wait_for`, as in aio-pika, loses a cancellation that comes with its
    result (https://github.com/python/cpython/issues/86296, mended in Python 3.12).
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=INSIST_S)
