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
from typing import ParamSpec, TypeVar

from pebble import ProcessExpired, ProcessPool

P = ParamSpec("P")
T = TypeVar("T")

PR_SET_PDEATHSIG = 1
PRELOAD = ["libs.imaging.pipeline", "libs.imaging.describe"]


class ChildError(Exception):
    """A child did not live to answer."""

    code = "render_failed"


class RenderTimeout(ChildError):
    """The work took longer than a job may; its child was killed."""

    code = "render_timeout"


class RenderCrashed(ChildError):
    """The child died under the work: a codec crashed, or it was killed."""

    code = "render_crashed"


class Children:
    """A pool of `count` child processes, each running one call at a time."""

    def __init__(self, count: int, *, memory_bytes: int, niceness: int = 0) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOAD)
        self._free = asyncio.Semaphore(count)
        self._pool = ProcessPool(
            max_workers=count,
            context=context,  # pyright: ignore[reportArgumentType] - contexts are one family
            initializer=_settle_in,
            initargs=(memory_bytes, niceness),
        )

    async def run(self, timeout_s: float, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`call(*args)` in a child; its own exceptions come back as they are. Cancelling kills the child.

        Raises:
            RenderTimeout: It took longer than `timeout_s`, counted from its start.
            RenderCrashed: The child died.
        """
        async with self._free:
            future = self._pool.schedule(call, args=args, kwargs=kwargs, timeout=timeout_s)
            try:
                return await asyncio.wrap_future(future)
            except ChildTimeout as error:
                raise RenderTimeout(f"the work took longer than {timeout_s:g} s") from error
            except ProcessExpired as error:
                raise RenderCrashed(
                    f"the process that worked on the image died (exit {error.exitcode})"
                ) from error
            finally:
                future.cancel()

    async def close(self) -> None:
        """Kill what runs and end the children."""
        self._pool.stop()
        await asyncio.to_thread(self._pool.join)


def _settle_in(memory_bytes: int, niceness: int) -> None:
    """Run in each child as it starts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if niceness:
        os.nice(niceness)
    if os.uname().sysname == "Linux":
        # The fork server ends with our parent; without this a busy child would outlive both.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
