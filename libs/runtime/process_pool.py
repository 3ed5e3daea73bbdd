"""A pool of render processes, with limits of memory and time for each call.

A codec that crashes ends its render process only.
"""

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as CallTimeout
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.context import BaseContext
from time import monotonic
from typing import Any, ClassVar, ParamSpec, TypeVar, cast

import structlog
from pebble import ProcessExpired
from pebble import ProcessPool as PebblePool

from libs.contracts.outcome import Outcome, outcome_of
from libs.runtime import metrics, tracing
from libs.runtime.disk import full_disk_errors
from libs.runtime.metrics.pools import PoolState, forget_pool, watch_pool
from libs.runtime.render_process import prepare
from libs.runtime.render_report import RenderReport, reported
from libs.runtime.threads import MAINTENANCE

P = ParamSpec("P")
T = TypeVar("T")

MAX_POOLS = 2  # pools that a call is tried in before it counts as crashed
CHECK_S = 1.0  # between looks at a call that has not ended
START_S = 60.0  # time limit for a process to start and take a call, and to answer after the call's own limit
PRELOAD = [
    "libs.imaging.render_and_describe",
    "libs.runtime.render_process",
    "libs.runtime.render_report",
    "pebble.pool.process",
]
"""What all render processes need. Their fork server imports it once, and they share that memory."""


log = structlog.get_logger(__name__)


def preload(*modules: str) -> None:
    """Import more modules in the fork server, unless it runs already: for a program whose calls need them."""
    PRELOAD.extend(module for module in modules if module not in PRELOAD)


class RenderError(Exception):
    """A render process ended before it returned a result."""

    code = "render_failed"
    outcome: ClassVar[Outcome] = "permanent"


class RenderTimeout(RenderError):
    """The work exceeded the time limit of a job; its process was killed."""

    code = "render_timeout"


class RenderCrashed(RenderError):
    """The render process died (a codec crashed, or it was killed), or no process took the work."""

    code = "render_crashed"
    outcome = "transient"


class RenderFailed(RenderError):
    """The work failed in a way that nobody foresaw: a fault of a codec or of Darkroom. See the log."""

    code = "render_failed"

    def __init__(self) -> None:
        super().__init__("the file cannot be processed: it brings out a fault of Darkroom or of a codec")


class ProcessPool:
    """A pool of `count` render processes, each of which runs one call at a time; metrics show it as `name`.

    With `prefetch` each process has its next call at hand while it runs one, so that none idles between two.
    With `by_fork` the processes are copies of this one, which saves a second import of everything: for a
    program that ends after a few calls. One with other threads cannot be copied, and gets fresh processes.
    """

    def __init__(
        self,
        name: str,
        count: int,
        *,
        memory_bytes: int,
        niceness: int = 0,
        prefetch: bool = False,
        by_fork: bool = False,
    ) -> None:
        self.name = name
        self._calls = 0
        self._count = count
        self._calls_per_process = 2 if prefetch else 1
        self._limits = (memory_bytes, niceness)
        self._by_fork = by_fork
        self._free = asyncio.Semaphore(count * self._calls_per_process)
        self._starting = asyncio.Lock()
        self._pool: PebblePool | None = None
        self._stuck: PebblePool | None = None
        watch_pool(name, self._state)

    async def run(self, timeout_s: float, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `call(*args)` in a render process. Cancelling kills the process.

        Exceptions that have an `outcome` are passed on, and so are MemoryError and errors of the operating
        system. Any other one is a fault that this input brings out; it is logged.

        Raises:
            RenderFailed: The call raised any other exception.
            RenderTimeout: The call took longer than `timeout_s`, counted from its start.
            RenderCrashed: The process died or does not answer, or none takes the call, `START_S` after it
                could, in a second pool either.
            StorageFull: The call could not write its files.
        """
        name = getattr(call, "__name__", "call")
        asked_s = monotonic()
        self._calls += 1
        try:
            with tracing.inside(f"render {name}", "internal") as span:
                async with self._free:
                    result = await self._run_anywhere(timeout_s, call, *args, **kwargs)
                if not isinstance(result, RenderReport):
                    return result
                report = cast("RenderReport[T]", result)
                if report.steps:
                    span.note({f"darkroom.step.{step.name}.s": step.seconds for step in report.steps})
        finally:
            self._calls -= 1
        metrics.POOL_WAIT.observe(report.started_s - asked_s, self.name)
        for step in report.steps:
            metrics.RENDER.observe(step.seconds, step.name)
        return report.result

    async def start(self) -> None:
        """Start the processes, so that the first call does not wait for one."""
        await self._active_pool()

    async def close(self) -> None:
        """Kill running calls and end the processes."""
        forget_pool(self.name, self._state)
        async with self._starting:
            if self._pool is not None:
                await MAINTENANCE.run(_stop, self._pool)

    def _state(self) -> PoolState:
        used = min(self._count, self._calls)
        return PoolState(size=self._count, used=used, waiting=self._calls - used)

    async def _run_anywhere(
        self, timeout_s: float, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | RenderReport[T]:
        for _ in range(MAX_POOLS):
            pool = await self._active_pool()
            with suppress(BrokenProcessPool):
                return await self._run_in(pool, timeout_s, call, *args, **kwargs)
        raise RenderCrashed("no render process took the work")

    async def _run_in(
        self, pool: PebblePool, timeout_s: float, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | RenderReport[T]:
        """Run the call; return its report if somebody watches this process."""
        watched = metrics.RENDER.real is not None or tracing.is_on()
        future: Future[Any] = (
            pool.schedule(reported, args=(call, *args), kwargs=kwargs, timeout=timeout_s)
            if watched
            else pool.schedule(call, args=args, kwargs=kwargs, timeout=timeout_s)
        )
        result = asyncio.wrap_future(future)
        try:
            with full_disk_errors(), _counted_kills(future):
                await self._wait_for(future, result, pool, timeout_s)
                return await result
        except CallTimeout as error:
            raise RenderTimeout(f"the work took longer than {timeout_s:g} s") from error
        except ProcessExpired as error:
            raise RenderCrashed(f"the render process died (exit {error.exitcode})") from error
        except (BrokenProcessPool, MemoryError):
            raise
        except Exception as error:  # a fault that one file brings out must not end the work on others
            of_machine = isinstance(error, OSError) and error.errno is not None
            if of_machine or outcome_of(error) is not None:
                raise
            log.error("render_failed", call=getattr(call, "__qualname__", repr(call)), exc_info=error)
            raise RenderFailed from error
        finally:
            result.cancel()
            future.cancel()

    async def _wait_for(
        self, call: "Future[Any]", result: "asyncio.Future[Any]", pool: PebblePool, timeout_s: float
    ) -> None:
        """Wait until the call ends or its process is lost: Pebble does not notice each loss."""
        start_by_s = monotonic() + START_S + timeout_s * (self._calls_per_process - 1)
        end_by_s = start_by_s + timeout_s + START_S
        while not (await asyncio.wait([result], timeout=CHECK_S))[0]:
            if _has_lost_its_process(pool, call):
                raise BrokenProcessPool("the render process was killed for its last call")
            if monotonic() > start_by_s and not call.running():
                self._stuck = pool
                raise BrokenProcessPool("no render process took the work")
            if monotonic() > end_by_s:
                self._stuck = pool
                metrics.RENDER_PROCESSES_KILLED.add("silent")
                raise RenderCrashed("the render process did not answer")

    async def _active_pool(self) -> PebblePool:
        """Return the pool; start a new one where there is none, or where it stopped or is stuck.

        Pebble stops a pool for good when a process dies while none of them works. It is stuck when a process
        is killed while it holds the lock of the pipe that all of them read and write.
        """
        async with self._starting:
            if self._pool is not None and self._pool.active and self._pool is not self._stuck:
                return self._pool
            if self._pool is not None:
                log.warning("process_pool_restarted")
                await MAINTENANCE.run(_stop, self._pool)
            if (
                self._by_fork and threading.active_count() == 1
            ):  # not in a thread, at whose end the processes would be killed
                self._pool = self._start(multiprocessing.get_context("fork"))
            else:
                self._pool = await MAINTENANCE.run(self._start, _fork_server())
            return self._pool

    def _start(self, context: BaseContext) -> PebblePool:
        pool = PebblePool(
            max_workers=self._count,
            context=context,  # pyright: ignore[reportArgumentType] - contexts are one family
            initializer=prepare,
            initargs=self._limits,
        )
        _ = pool.active  # the first read starts the processes
        return pool


@contextmanager
def _counted_kills(call: "Future[Any]") -> Generator[None]:
    """Count the process that ends with `call`."""
    try:
        yield
    except asyncio.CancelledError:
        if call.running():
            metrics.RENDER_PROCESSES_KILLED.add("cancelled")
        raise
    except CallTimeout:
        metrics.RENDER_PROCESSES_KILLED.add("timeout")
        raise
    except ProcessExpired:
        metrics.RENDER_PROCESSES_KILLED.add("crashed")
        raise


def _has_lost_its_process(pool: PebblePool, call: "Future[Any]") -> bool:
    """Tell whether the process that took the call is gone: Pebble would not notice before the call's limit.

    A process whose call is cancelled or too late can end that call in the moment before it is killed, and
    take the next one (https://github.com/noxdafox/pebble/issues/153). A call that is late itself is Pebble's
    to end, which takes seconds if the process withstands SIGTERM.
    """
    manager = pool._pool_manager  # pyright: ignore[reportPrivateUsage] - nothing public tells the process
    tasks, workers = manager.task_manager, manager.worker_manager.workers
    return any(
        task.future is call and task.started and task.worker_id not in workers and not tasks.timeout(task)
        for task in tasks.tasks.copy().values()  # threads of Pebble change it
    )


def _fork_server() -> BaseContext:
    # There is a process for each processor; each further thread of SciPy's takes 40 MB of its address space.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


def _stop(pool: PebblePool) -> None:
    pool.stop()
    pool.join()
