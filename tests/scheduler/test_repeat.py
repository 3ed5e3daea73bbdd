"""Timed tasks: each run is limited, and an error ends one run only."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from apps.scheduler.repeat import repeat
from libs.backends import Backends
from libs.runtime.background import supervised_loops
from tests.support.backends import opened_backends
from tests.support.waiting import WAIT_S


async def hang() -> None:
    await asyncio.Event().wait()


async def break_down() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("first_run", [hang, break_down])
async def test_a_run_that_hangs_or_breaks_is_followed_by_the_next(
    tmp_path: Path, first_run: Callable[[], Awaitable[None]]
) -> None:
    begun, ran = asyncio.Event(), asyncio.Event()

    async def task(_: Backends) -> int:
        if not begun.is_set():
            begun.set()
            await first_run()
        ran.set()
        return 1

    async with opened_backends(tmp_path) as backends:
        loop = repeat("task", task, backends, every_s=0.01, limit_s=0.1)
        async with supervised_loops({"task": loop}), asyncio.timeout(WAIT_S):
            await ran.wait()
