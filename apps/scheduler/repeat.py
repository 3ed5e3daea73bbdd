"""Repeating one timed task."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from libs.backends import Backends
from libs.contracts.outcome import outcome_of

Task = Callable[[Backends], Awaitable[int]]
"""Does what is due now and returns how many items that were."""

log = structlog.get_logger(__name__)


async def repeat(name: str, task: Task, backends: Backends, *, every_s: float) -> NoReturn:
    """Run `task`, wait `every_s` seconds, and so on until cancelled; an error ends one run, not the loop."""
    while True:
        try:
            if count := await task(backends):
                log.info(name, count=count)
        except Exception as error:
            if outcome_of(error) == "transient":
                log.warning("step_failed", step=name, error=str(error))
            else:
                log.exception("step_broke", step=name)
        await asyncio.sleep(every_s)
