"""The process pool in which commands decode local files, with the limits of a worker's."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from libs.runtime.process_pool import ProcessPool
from libs.settings import Settings


def core_count() -> int:
    """Return the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0))


@asynccontextmanager
async def render_pool(settings: Settings, count: int, *, few: bool = False) -> AsyncGenerator[ProcessPool]:
    """Open a pool of `count` render processes; leaving kills them, whatever they do.

    `few` photos are rendered by a copy of this process: starting a fresh one takes longer than a photo.
    """
    processes = ProcessPool(
        "files", count, memory_bytes=settings.job_memory_bytes, prefetch=True, by_fork=few
    )
    try:
        yield processes
    finally:
        await processes.close()
