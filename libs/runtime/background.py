"""Supervised loops, and steps that a cancellation does not interrupt."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, TypeVar

import structlog

CANCEL_AGAIN_S = 1.0

T = TypeVar("T")

log = structlog.get_logger(__name__)


@asynccontextmanager
async def supervised_loops(
    loops: Mapping[str, Coroutine[Any, Any, object]], *, insist: bool = True
) -> AsyncGenerator[None]:
    """Run each loop in a task of its own, under its name, while the block runs; cancel them when it ends.

    A loop that fails is logged. It cancels the block and the other loops. With `insist` the loops are
    cancelled again every second until they end; without, once: for loops whose work takes time to end.

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
            await (cancel_and_wait(*tasks) if insist else _cancel_once(*tasks))
    if block_error is not None:
        raise block_error


@asynccontextmanager
async def entered_together(*contexts: AbstractAsyncContextManager[object]) -> AsyncGenerator[None]:
    """Enter all contexts at once, and leave them at once: the slowest decides how long that takes.

    Raises:
        ExceptionGroup: The error of a context; the others were left, and the block was cancelled.
    """
    leaving = asyncio.Event()
    entered = [asyncio.Event() for _ in contexts]

    async def hold(context: AbstractAsyncContextManager[object], inside: asyncio.Event) -> None:
        async with context:
            inside.set()
            await leaving.wait()

    block_error: Exception | None = None
    async with asyncio.TaskGroup() as group:
        for context, inside in zip(contexts, entered, strict=True):
            group.create_task(hold(context, inside))
        try:
            for inside in entered:
                await inside.wait()
            yield
        except Exception as error:  # noqa: BLE001 - raised below: the group would wrap it
            block_error = error
        finally:
            leaving.set()
    if block_error is not None:
        raise block_error


async def _logged(name: str, loop: Coroutine[Any, Any, object]) -> None:
    try:
        await loop
    except Exception:
        log.exception("loop_died", loop=name)
        raise
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        log.exception("loop_died", loop=name)
        raise RuntimeError(f"something that the loop {name} awaited was cancelled") from error


async def cancel_and_wait(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until all of them have ended, whatever their outcome.

    One cancellation is not enough: `asyncio.wait_for`, which aio-pika uses, loses a cancellation that arrives
    together with its result (https://github.com/python/cpython/issues/86296, fixed in Python 3.12).
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=CANCEL_AGAIN_S)


async def _cancel_once(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


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
