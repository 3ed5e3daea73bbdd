"""Repeat one timed task."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from libs.backends import Backends
from libs.contracts.outcome import outcome_of

Task = Callable[[Backends], Awaitable[int]]
"""Does what is due now and returns how many items that were. It is safe to repeat after it was cancelled."""

STEP_S = 60.0  # for one run of a task

log = structlog.get_logger(__name__)


async def repeat(
    name: str, task: Task, backends: Backends, *, every_s: float, limit_s: float = STEP_S
) -> NoReturn:
    """Run `task`, wait `every_s` seconds, and so on until cancelled; an error ends one run, not the loop.

    A run that takes longer than `limit_s` is cancelled, whatever it waits for.
    """
    while True:
        deadline = asyncio.timeout(limit_s)
        try:
            async with deadline:
                if count := await task(backends):
                    log.info(name, count=count)
        except Exception as error:
            if outcome_of(error) == "transient":
                log.warning("step_failed", step=name, error=str(error))
            elif deadline.expired():
                log.error("step_timed_out", step=name, after_s=limit_s, error=repr(error))
            else:
                log.exception("step_broke", step=name)
        await asyncio.sleep(every_s)
