"""Loops that run beside a block, and their sure end; steps that a cancellation must not cut in two."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

INSIST_S = 1.0

T = TypeVar("T")


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


async def unbroken(work: Coroutine[Any, Any, T], *, grace_s: float) -> T:
    """Run a step that cannot be taken back halfway.

    A caller that is cancelled meanwhile, however often, waits up to `grace_s` for its end before the
    cancellation goes on.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        until = asyncio.get_running_loop().time() + grace_s
        while not task.done():
            left_s = until - asyncio.get_running_loop().time()
            with suppress(asyncio.CancelledError):
                await (asyncio.wait({task}, timeout=left_s) if left_s > 0 else end(task))
        await asyncio.gather(task, return_exceptions=True)  # its failure is nobody's any more
        raise
