"""Loops beside a block end with it, whatever they do about it."""

import asyncio
from contextlib import suppress

import pytest

from libs.tasks import beside, end

LONG_S = 600


async def deaf_once(heard: list[str]) -> None:
    """As a wait that loses a cancellation to its result."""
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(LONG_S)
    heard.append("once")
    await asyncio.sleep(LONG_S)


async def test_a_task_that_loses_a_cancellation_is_ended_all_the_same() -> None:
    heard: list[str] = []
    task = asyncio.create_task(deaf_once(heard))
    await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await end(task)
    assert task.cancelled()
    assert heard == ["once"]


async def test_a_block_that_fails_ends_its_loops_and_tells_of_its_own_fault() -> None:
    loops: list[asyncio.Task[object]] = []

    async def loop() -> None:
        task = asyncio.current_task()
        assert task is not None
        loops.append(task)
        await asyncio.sleep(LONG_S)

    async def fail() -> None:
        async with beside(loop(), loop()):
            await asyncio.sleep(0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert [task.cancelled() for task in loops] == [True, True]
