"""Background tasks, supervised loops, and steps that a cancellation does not interrupt."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import structlog

CANCEL_AGAIN_S = 1.0

T = TypeVar("T")

log = structlog.get_logger(__name__)


@asynccontextmanager
async def background_tasks(
    *work: Coroutine[Any, Any, object], name: str | None = None
) -> AsyncGenerator[None]:
    """Run each coroutine in a task of its own while the block runs; cancel them when it ends."""
    tasks = [asyncio.create_task(coroutine, name=name) for coroutine in work]
    try:
        yield
    finally:
        await cancel_and_wait(*tasks)


@asynccontextmanager
async def supervised_loops(loops: Mapping[str, Coroutine[Any, Any, object]]) -> AsyncGenerator[None]:
    """Run each loop in a task of its own, under its name, while the block runs; cancel them when it ends.

    A loop that fails is logged. It cancels the block and the other loops.

    Raises:
        ExceptionGroup: The error of the loop that failed.
    """
    block_error: Exception | None = None
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_logged(name, loop), name=name) for name, loop in loops.items()]
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised below: the group would wrap it
            block_error = error
        finally:
            await cancel_and_wait(*tasks)
    if block_error is not None:
        raise block_error


async def _logged(name: str, loop: Coroutine[Any, Any, object]) -> None:
    try:
        await loop
    except Exception:
        log.exception("loop_died", loop=name)
        raise


async def cancel_and_wait(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until all of them have ended, whatever their outcome.

    One cancellation is not enough: `asyncio.wait_for`, which aio-pika uses, loses a cancellation that arrives
    together with its result (https://github.com/python/cpython/issues/86296, fixed in Python 3.12).
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=CANCEL_AGAIN_S)


async def run_to_completion(work: Coroutine[Any, Any, T], *, grace_s: float) -> T:
    """Run a step that must not be interrupted halfway.

    If the caller is cancelled meanwhile, however often, it waits up to `grace_s` for the step to end before
    the cancellation takes effect. A step that takes longer is cancelled.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        until = asyncio.get_running_loop().time() + grace_s
        while not task.done():
            left_s = until - asyncio.get_running_loop().time()
            with suppress(asyncio.CancelledError):
                await (asyncio.wait({task}, timeout=left_s) if left_s > 0 else cancel_and_wait(task))
        await asyncio.gather(task, return_exceptions=True)  # nobody is left to receive its error
        raise
