"""A process ends in time after a stop signal, whatever hangs in it."""

import asyncio
import signal
import sys

import pytest

from tests.support.waiting import WAIT_S

PROGRAM = """
import asyncio, sys, time
from libs.runtime import signals

signals.REST_S = 0.3

async def deaf():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def main():
    stop = signals.stop_signal(0)
    task = asyncio.create_task(deaf(), name="deaf")
    print("ready", flush=True)
    if sys.argv[1] == "task":
        await stop.wait()
        task.cancel()
        await task
    if sys.argv[1] == "loop":
        while True:
            time.sleep(0.05)
    await asyncio.to_thread(time.sleep, 3600)

asyncio.run(main())
"""


@pytest.mark.parametrize("hanging", ["task", "loop", "thread"])
async def test_a_process_in_which_something_hangs_ends_all_the_same(hanging: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        hanging,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    async with asyncio.timeout(WAIT_S):
        assert await process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        rest = await process.stdout.read()
        assert await process.wait() == 1
    assert b"stop_forced" in rest
    assert b"deaf" in rest
