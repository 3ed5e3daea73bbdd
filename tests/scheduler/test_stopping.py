"""The sender of notices ends when it is asked to."""

import asyncio
from pathlib import Path

from apps.scheduler.notifying import notifying
from tests.worker.inside import WAIT_S, opened_backends


async def test_an_event_at_the_moment_of_leaving_does_not_keep_the_sender(tmp_path: Path) -> None:
    async with opened_backends(tmp_path, TICK_S="60") as backends, asyncio.timeout(WAIT_S):
        for pause_s in (0, 0, 0.03, 0.03, 0.06, 0.06):  # before and after it waits for its next tick
            async with notifying(backends):
                await asyncio.sleep(pause_s)
                for _ in range(4):
                    await backends.broker.emit("job.completed", b"")
                    await asyncio.sleep(0)
