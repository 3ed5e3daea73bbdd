"""The pool of child processes: bounded, killable, never broken for long."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from libs.children import ChildError, Children, RenderCrashed, RenderTimeout
from tests import children_calls

GIB = 1024**3
WAIT_S = 60


@pytest.fixture
async def children() -> AsyncIterator[Children]:
    pool = Children(2, memory_bytes=GIB, niceness=5)
    yield pool
    await pool.close()


async def test_a_call_runs_in_another_process(children: Children) -> None:
    assert await children.run(WAIT_S, children_calls.double, 21) == 42
    assert await children.run(WAIT_S, children_calls.whoami) != psutil.Process().pid


async def test_its_exceptions_come_back_as_they_are(children: Children) -> None:
    with pytest.raises(ZeroDivisionError, match="as asked"):
        await children.run(WAIT_S, children_calls.fail)


async def test_a_child_is_bounded_in_memory_cores_and_priority(children: Children) -> None:
    assert await children.run(WAIT_S, children_calls.limits) == (GIB, 0, 5)
    with pytest.raises(MemoryError):
        await children.run(WAIT_S, children_calls.allocate, 2 * GIB)
    assert await children.run(WAIT_S, children_calls.double, 1) == 2


async def test_a_child_that_dies_is_replaced(children: Children) -> None:
    for _ in range(3):
        with pytest.raises(RenderCrashed) as crash:
            await children.run(WAIT_S, children_calls.die)
        assert (crash.value.code, isinstance(crash.value, ChildError)) == ("render_crashed", True)
        assert await children.run(WAIT_S, children_calls.double, 1) == 2


async def test_children_that_die_at_rest_are_replaced(children: Children) -> None:
    pids = {await children.run(WAIT_S, children_calls.whoami) for _ in range(20)}
    waiting = [psutil.Process(pid) for pid in pids]
    for child in waiting:
        child.kill()
    await asyncio.to_thread(psutil.wait_procs, waiting, timeout=WAIT_S)
    done = await asyncio.gather(*(children.run(WAIT_S, children_calls.double, n) for n in range(10)))
    assert done == [2 * n for n in range(10)]


async def test_a_call_that_takes_too_long_is_killed(children: Children, tmp_path: Path) -> None:
    with pytest.raises(RenderTimeout, match=r"longer than 0\.3 s") as late:
        await children.run(0.3, children_calls.sleep, str(tmp_path / "pid"))
    assert late.value.code == "render_timeout"
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
    assert await children.run(WAIT_S, children_calls.double, 1) == 2


async def test_a_call_that_no_child_takes_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libs.children.START_S", 0.5)
    pool = Children(1, memory_bytes=GIB)
    child = psutil.Process(await pool.run(WAIT_S, children_calls.whoami))
    child.suspend()
    with pytest.raises(RenderCrashed, match="no process took the work"):
        await pool.run(0.5, children_calls.double, 1)
    child.resume()
    assert await pool.run(WAIT_S, children_calls.double, 2) == 4
    await pool.close()


async def test_a_cancelled_call_is_killed(children: Children, tmp_path: Path) -> None:
    call, child = await sleeping(children, tmp_path / "pid")
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert call.cancelled()
    await asyncio.to_thread(child.wait, WAIT_S)
    assert await children.run(WAIT_S, children_calls.double, 1) == 2


async def test_no_more_run_at_once_than_there_are_children(children: Children, tmp_path: Path) -> None:
    busy = [await sleeping(children, tmp_path / str(n)) for n in range(2)]
    third = asyncio.create_task(children.run(WAIT_S, children_calls.double, 1))
    busy[0][0].cancel()
    assert await third == 2
    busy[1][0].cancel()
    await asyncio.gather(*(call for call, _ in busy), return_exceptions=True)


async def test_closing_ends_all_children(tmp_path: Path) -> None:
    pool = Children(1, memory_bytes=GIB)
    call, child = await sleeping(pool, tmp_path / "pid")
    await pool.close()
    assert not child.is_running()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)


async def test_a_pool_that_was_never_used_closes() -> None:
    await Children(1, memory_bytes=GIB).close()


async def sleeping(children: Children, path: Path) -> tuple[asyncio.Task[None], psutil.Process]:
    """A call that is under way, and its child."""
    call = asyncio.create_task(children.run(3600, children_calls.sleep, str(path)))
    async with asyncio.timeout(WAIT_S):
        while not (path.exists() and path.read_text()):
            await asyncio.sleep(0.01)
    return call, psutil.Process(int(path.read_text()))
