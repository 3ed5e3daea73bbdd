"""Waiting for what happens in other tasks and processes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

WAIT_S = 150.0
"""How long to wait for something that must happen. A wait ends with the event, so a long bound costs nothing,
and a machine that is busy with other work passes too."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.01, 0.1  # looking costs the machine time too


async def until(condition: Callable[[], Awaitable[T]], *, within_s: float = WAIT_S) -> T:
    """Call `condition` until its result is true, and return that result.

    Raises:
        AssertionError: The result was never true within `within_s`; it names the last result.
    """
    result: T | None = None
    pause_s = FIRST_PAUSE_S
    try:
        async with asyncio.timeout(within_s):
            while not (result := await condition()):
                await asyncio.sleep(pause_s)
                pause_s = min(1.5 * pause_s, LONGEST_PAUSE_S)
    except TimeoutError as error:
        raise AssertionError(f"still {result!r} after {within_s:g} s") from error
    return result


async def until_equal(expected: T, value: Callable[[], Awaitable[T]], *, within_s: float = WAIT_S) -> None:
    """Call `value` until it returns `expected`: for what is changing while the test looks at it."""

    async def found() -> bool:
        nonlocal last
        last = await value()
        return last == expected

    last: T | None = None
    try:
        await until(found, within_s=within_s)
    except AssertionError as error:
        raise AssertionError(f"expected {expected!r}, still {last!r} after {within_s:g} s") from error
