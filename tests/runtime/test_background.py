"""Loops beside a block end with it, whatever they do about it; a step that must not break does not."""

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest

from libs.runtime.background import (
    cancel_and_wait,
    entered_together,
    run_to_completion,
    supervised_loops,
)
from tests.support.waiting import WAIT_S

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
    async with asyncio.timeout(WAIT_S):
        await cancel_and_wait(task)
    assert task.cancelled()
    assert heard == ["once"]


async def test_a_loop_that_dies_ends_the_block_and_the_other_loops() -> None:
    others: list[asyncio.Task[object]] = []

    async def other() -> None:
        task = asyncio.current_task()
        assert task is not None
        others.append(task)
        await asyncio.sleep(LONG_S)

    async def die() -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as raised:
        async with supervised_loops({"other": other(), "dying": die()}):
            await asyncio.sleep(LONG_S)
    assert raised.group_contains(ZeroDivisionError)
    assert [task.cancelled() for task in others] == [True]
    current = asyncio.current_task()
    assert current is not None
    assert not current.cancelling()


async def test_a_block_with_supervised_loops_raises_its_own_error_as_it_is() -> None:
    loops: list[asyncio.Task[object]] = []

    async def loop() -> None:
        task = asyncio.current_task()
        assert task is not None
        loops.append(task)
        await asyncio.sleep(LONG_S)

    async def fail() -> None:
        async with supervised_loops({"loop": loop()}):
            await asyncio.sleep(0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert [task.cancelled() for task in loops] == [True]


async def test_a_loop_whose_wait_was_cancelled_by_something_else_has_died_too() -> None:
    async def loop() -> None:
        broken = asyncio.get_running_loop().create_future()
        broken.cancel()
        await broken

    with pytest.raises(ExceptionGroup) as raised:
        async with supervised_loops({"loop": loop()}):
            await asyncio.sleep(LONG_S)
    assert raised.group_contains(RuntimeError)


async def test_contexts_that_are_left_together_take_as_long_as_the_slowest() -> None:
    leaving, all_leave = 0, asyncio.Event()

    @asynccontextmanager
    async def slow() -> AsyncGenerator[None]:
        nonlocal leaving
        yield
        leaving += 1
        if leaving == 3:
            all_leave.set()
        await all_leave.wait()  # for the others

    async with asyncio.timeout(WAIT_S), entered_together(slow(), slow(), slow()):
        assert leaving == 0
    assert leaving == 3


async def test_a_context_that_fails_ends_the_block_and_the_others() -> None:
    left = asyncio.Event()

    @asynccontextmanager
    async def failing() -> AsyncGenerator[None]:
        async with supervised_loops({"dying": die()}):
            yield

    @asynccontextmanager
    async def good() -> AsyncGenerator[None]:
        try:
            yield
        finally:
            left.set()

    async def die() -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as raised:
        async with entered_together(good(), failing()):
            await asyncio.sleep(LONG_S)
    assert raised.group_contains(ZeroDivisionError)
    assert left.is_set()


async def test_a_step_that_must_not_break_goes_on_under_cancellation() -> None:
    begun, may_end, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def step() -> None:
        begun.set()
        await may_end.wait()
        done.set()

    caller = asyncio.create_task(run_to_completion(step(), grace_s=20))
    await begun.wait()
    for _ in range(3):  # as `end` insists
        caller.cancel()
        await asyncio.sleep(0)
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert done.is_set()


async def test_a_step_that_takes_too_long_is_broken_after_all() -> None:
    begun = asyncio.Event()

    async def step() -> None:
        begun.set()
        await asyncio.Event().wait()

    caller = asyncio.create_task(run_to_completion(step(), grace_s=0.01))
    await begun.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller


async def test_a_step_that_loses_its_cancellation_is_broken_all_the_same() -> None:
    heard: list[str] = []
    caller = asyncio.create_task(run_to_completion(deaf_once(heard), grace_s=0.01))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # the step has begun as well
    caller.cancel()
    async with asyncio.timeout(WAIT_S):
        with pytest.raises(asyncio.CancelledError):
            await caller
    assert heard == ["once"]


async def test_a_step_that_fails_under_cancellation_leaves_no_complaint() -> None:
    complaints: list[object] = []
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, complaint: complaints.append(complaint))
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def step() -> None:
        begun.set()
        await may_end.wait()
        raise ZeroDivisionError

    try:
        caller = asyncio.create_task(run_to_completion(step(), grace_s=20))
        await begun.wait()
        caller.cancel()
        await asyncio.sleep(0)
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await caller
        del caller
        await asyncio.sleep(0)  # or the loop still holds it
        gc.collect()
    finally:
        loop.set_exception_handler(before)
    assert complaints == []
