"""Signals that stop the process, and the limit on how long stopping may take."""

import asyncio
import os
import signal
import threading
from contextlib import suppress
from types import FrameType

import structlog

DRAINS = 2  # where API and worker are one process, requests drain first, and then jobs
REST_S = 5.0  # for all else; with the default, nine seconds in all: Docker kills after ten

log = structlog.get_logger(__name__)


def stop_signal(drain_s: float) -> asyncio.Event:
    """Return an event that is set on SIGINT and SIGTERM.

    The process then has twice `drain_s` and `REST_S` seconds to end by itself, whatever hangs; after them it
    is ended.
    These are handlers of Python's and not of the event loop, so that they run while the loop is blocked.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def handle(_: int, __: FrameType | None) -> None:
        if not stop.is_set():
            _end_later(loop, DRAINS * drain_s + REST_S)
        with suppress(RuntimeError):  # the loop has ended: the process is about to
            loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
    return stop


def _end_later(loop: asyncio.AbstractEventLoop, after_s: float) -> None:
    """End the process after that time, unless it has ended by then.

    A thread does it, because the event loop or the interpreter's own end may be what hangs. Nothing is lost:
    every step of the work is safe to repeat after a crash.
    """
    timer = threading.Timer(after_s, _end, args=(loop, after_s))
    timer.daemon = True
    timer.start()


def _end(loop: asyncio.AbstractEventLoop, after_s: float) -> None:
    with suppress(Exception):  # whatever the log does, the process ends
        log.error("stop_forced", after_s=after_s, hanging=_tasks(loop))
    os._exit(1)


def _tasks(loop: asyncio.AbstractEventLoop) -> list[str]:
    """Return the names of the tasks that have not ended; the loop may change them meanwhile."""
    with suppress(RuntimeError):
        return sorted({task.get_name() for task in asyncio.all_tasks(loop)})
    return []
