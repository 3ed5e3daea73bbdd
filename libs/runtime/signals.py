"""From start to a signal."""

import asyncio
import signal


def stop_signal() -> asyncio.Event:
    """An event that is set when the process is asked to end (SIGINT, SIGTERM)."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop
