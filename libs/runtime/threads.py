"""Bounded thread pools, one for each purpose: blocking work of one kind cannot hold up another's.

asyncio's default pool is left to the libraries. Threads start on first use.
"""

import asyncio
import contextvars
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import ClassVar, ParamSpec, TypeVar

from libs.contracts.outcome import Outcome
from libs.runtime import metrics
from libs.runtime.metrics.pools import PoolState, watch_pool

P = ParamSpec("P")
T = TypeVar("T")


class ServerBusy(Exception):
    """Too many requests wait for the same resource. Repeat the request after `Retry-After`."""

    code = "server_busy"
    outcome: ClassVar[Outcome] = "transient"


class ThreadPool:
    """At most `size` threads for one purpose; further calls wait in the order of their arrival.

    With `max_waiting` a call beyond that many waiting ones is refused. Threads with a `niceness` give way to
    the event loop on a busy machine.
    """

    def __init__(self, name: str, size: int, *, max_waiting: int | None = None, niceness: int = 0) -> None:
        self.name = name
        self.size = size
        self._most = None if max_waiting is None else size + max_waiting
        self._pending = 0
        self._threads = ThreadPoolExecutor(
            size, thread_name_prefix=name, initializer=_lower_priority, initargs=(niceness,)
        )
        watch_pool(name, self._state)

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `call(*args)` in a thread. Cancelling leaves a call that has begun to its thread.

        Raises:
            ServerBusy: Too many calls wait already.
        """
        if self._most is not None and self._pending >= self._most:
            raise ServerBusy(f"too many requests wait for the same work ({self.name})")
        asked_s = monotonic()
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()
        result: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            metrics.POOL_WAIT.observe(monotonic() - asked_s, self.name)
            try:
                answer = partial(_set_result, result, context.run(call, *args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - raised in the caller
                answer = partial(_set_error, result, error)
            with suppress(RuntimeError):  # the loop has ended, and nobody waits
                loop.call_soon_threadsafe(answer)

        waiting = self._threads.submit(work)
        self._pending += 1
        try:
            return await result
        finally:
            self._pending -= 1
            waiting.cancel()

    def _state(self) -> PoolState:
        used = min(self.size, self._pending)
        return PoolState(size=self.size, used=used, waiting=self._pending - used)


def _set_result(future: asyncio.Future[T], result: T) -> None:
    if not future.done():  # it is cancelled with its caller
        future.set_result(result)


def _set_error(future: asyncio.Future[T], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def _lower_priority(niceness: int) -> None:
    """Lower the priority of the current thread; only Linux has priorities of threads."""
    if niceness and os.uname().sysname == "Linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + niceness)


_CORES = os.cpu_count() or 1

PASSWORDS = ThreadPool("password", max(1, _CORES // 2), max_waiting=50, niceness=10)
"""Password hashing: a third of a second of a core each, and anyone can ask for it."""
SCRATCH = ThreadPool("scratch", 8)
"""Temporary files: what uploads and fetches write, and what jobs copy."""
STORING = ThreadPool("storing", 8)
"""Changes and scans of an object store on a file system."""
DOWNLOADS = ThreadPool("download", 8)
"""Reading objects of a file system, for clients and jobs."""
PARSING = ThreadPool("parsing", max(2, _CORES))
"""Slow parsing of untrusted input: headers of images, JSON, base64, CSV."""
MAINTENANCE = ThreadPool("maintenance", 4)
"""Health checks, starting and stopping of render processes, migrations: work that no load may delay."""
