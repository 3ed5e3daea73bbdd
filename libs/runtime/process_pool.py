"""Child processes that touch pixels: killable, bounded in memory and time.

A codec that crashes kills the child, never the process that asked.
"""

import asyncio
import ctypes
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from concurrent.futures import TimeoutError as ChildTimeout
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import ClassVar, Literal, ParamSpec, TypeVar

import structlog
from pebble import ProcessExpired
from pebble import ProcessPool as PebblePool

P = ParamSpec("P")
T = TypeVar("T")

PR_SET_PDEATHSIG = 1
POOLS = 2  # tried before a call counts as crashed
START_S = 60.0  # for a child to come up and take a call
PRELOAD = ["libs.imaging.render_and_describe"]


log = structlog.get_logger(__name__)


class RenderError(Exception):
    """A child did not live to answer."""

    code = "render_failed"
    outcome: ClassVar[Literal["transient", "permanent", "refused"]] = "permanent"


class RenderTimeout(RenderError):
    """The work took longer than a job may; its child was killed."""

    code = "render_timeout"


class RenderCrashed(RenderError):
    """The child died under the work (a codec crashed, or it was killed), or none took it."""

    code = "render_crashed"


class ProcessPool:
    """A pool of `count` child processes, each running one call at a time."""

    def __init__(self, count: int, *, memory_bytes: int, niceness: int = 0) -> None:
        self._count = count
        self._settle_in = (memory_bytes, niceness)
        self._free = asyncio.Semaphore(count)
        self._starting = asyncio.Lock()
        self._pool: PebblePool | None = None

    async def run(self, timeout_s: float, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`call(*args)` in a child; its own exceptions come back as they are. Cancelling kills the child.

        Raises:
            RenderTimeout: It took longer than `timeout_s`, counted from its start.
            RenderCrashed: The child died, or none took the call within `START_S`.
        """
        async with self._free:
            for _ in range(POOLS):
                pool = await self._alive()
                with suppress(BrokenProcessPool):
                    return await self._run_in(pool, timeout_s, call, *args, **kwargs)
            raise RenderCrashed("the processes that work on images do not live")

    async def close(self) -> None:
        """Kill what runs and end the children."""
        async with self._starting:
            if self._pool is not None:
                await asyncio.to_thread(_end, self._pool)

    async def _run_in(
        self, pool: PebblePool, timeout_s: float, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        future = pool.schedule(call, args=args, kwargs=kwargs, timeout=timeout_s)
        never_taken = asyncio.timeout(START_S + timeout_s)
        try:
            async with never_taken:
                return await asyncio.wrap_future(future)
        except ChildTimeout as error:
            if never_taken.expired():
                raise RenderCrashed("no process took the work: those for images are stuck") from error
            raise RenderTimeout(f"the work took longer than {timeout_s:g} s") from error
        except ProcessExpired as error:
            raise RenderCrashed(
                f"the process that worked on the image died (exit {error.exitcode})"
            ) from error
        finally:
            future.cancel()

    async def _alive(self) -> PebblePool:
        """The pool; a new one where there is none yet, and after it gave up.

        It gives up for good when a child dies while none of them works.
        """
        async with self._starting:
            if self._pool is not None and self._pool.active:
                return self._pool
            if self._pool is not None:
                log.warning("children_start_again")
                await asyncio.to_thread(_end, self._pool)
            self._pool = await asyncio.to_thread(self._started)
            return self._pool

    def _started(self) -> PebblePool:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOAD)
        pool = PebblePool(
            max_workers=self._count,
            context=context,  # pyright: ignore[reportArgumentType] - contexts are one family
            initializer=_settle_in,
            initargs=self._settle_in,
        )
        _ = pool.active  # the first time anybody asks, the children are started
        return pool


def _end(pool: PebblePool) -> None:
    pool.stop()
    pool.join()


def _settle_in(memory_bytes: int, niceness: int) -> None:
    """Run in each child as it starts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a handler would wait for the codec to return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if niceness:
        os.nice(niceness)
    if os.uname().sysname == "Linux":
        # The fork server ends with our parent; without this a busy child would outlive both.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
