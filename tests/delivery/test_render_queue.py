"""The queue of renders: bounded, and shared fairly."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from libs.delivery.errors import QueueFull
from libs.delivery.render_queue import RenderQueue
from libs.runtime.process_pool import ProcessPool
from tests.delivery.queue_calls import wait_for_file

GIB = 1024**3


def queue_of(processes: int, limit: int, *, wait_s: float = 600) -> RenderQueue:
    pool = ProcessPool("test", processes, memory_bytes=GIB)
    return RenderQueue(pool, processes=processes, limit=limit, wait_s=wait_s)


async def test_what_does_not_fit_into_the_queue_is_refused_at_once() -> None:
    queue = queue_of(1, 3)
    with (
        queue.admitted("a", 1),
        queue.admitted("b", 2),
        queue.admitted("c", 3),
        queue.admitted("d", 4),
        pytest.raises(QueueFull),
        queue.admitted("e", 5),
    ):
        pass
    with queue.admitted("e", 5):  # places that were left are free again
        pass


async def test_no_image_and_no_account_takes_the_whole_queue() -> None:
    queue = queue_of(2, 6)
    with queue.admitted("a", 1), queue.admitted("a", 1), queue.admitted("a", 1), queue.admitted("a", 1):
        with pytest.raises(QueueFull), queue.admitted("a", 1):
            pass
        with queue.admitted("b", 1), queue.admitted("c", 1):
            with pytest.raises(QueueFull), queue.admitted("d", 1):
                pass
            with queue.admitted("d", 2):
                pass


async def test_an_image_that_hangs_leaves_a_process_to_the_others(tmp_path: Path) -> None:
    queue = queue_of(2, 8)
    gate = tmp_path / str(uuid4())
    hanging = [asyncio.create_task(queue.run("bad", 300, wait_for_file, gate)) for _ in range(3)]
    try:
        opened = tmp_path / "open"
        opened.touch()
        assert await queue.run("good", 300, wait_for_file, opened)
        assert not any(task.done() for task in hanging)
        gate.touch()
        assert await asyncio.gather(*hanging) == [True] * 3
    finally:
        for task in hanging:
            task.cancel()
        await queue.close()


async def test_nobody_waits_for_a_process_without_end(tmp_path: Path) -> None:
    queue = queue_of(1, 8, wait_s=0.2)
    gate = tmp_path / "gate"
    hanging = asyncio.create_task(queue.run("a", 300, wait_for_file, gate))
    await asyncio.sleep(0)  # the first takes the process
    try:
        with pytest.raises(QueueFull):
            await queue.run("b", 300, wait_for_file, gate)
        gate.touch()
        assert await hanging
        assert await queue.run("b", 300, wait_for_file, gate)
    finally:
        hanging.cancel()
        await queue.close()
