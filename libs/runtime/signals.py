"""Signals that stop the process."""

import asyncio
import signal


def stop_signal() -> asyncio.Event:
    """Return an event that is set on SIGINT and SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop
