"""The pool of render processes: bounded, killable, restarted when it breaks."""

import asyncio
import ctypes
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from libs.imaging.errors import UnreadableImage
from libs.runtime.disk import StorageFull
from libs.runtime.process_pool import (
    PRELOAD,
    ProcessPool,
    RenderCrashed,
    RenderError,
    RenderFailed,
    RenderTimeout,
)
from tests.runtime import process_pool_calls
from tests.support.counting import Counted
from tests.support.waiting import WAIT_S, until

GIB = 1024**3


@pytest.fixture
async def processes() -> AsyncIterator[ProcessPool]:
    pool = ProcessPool("test", 2, memory_bytes=GIB, niceness=5)
    yield pool
    await pool.close()


async def test_a_call_runs_in_another_process(processes: ProcessPool) -> None:
    assert await processes.run(WAIT_S, process_pool_calls.double, 21) == 42
    assert await processes.run(WAIT_S, process_pool_calls.whoami) != psutil.Process().pid


async def test_processes_can_be_started_before_the_first_call(processes: ProcessPool) -> None:
    await processes.start()
    started = {process.pid for process in psutil.Process().children(recursive=True)}
    assert await processes.run(WAIT_S, process_pool_calls.whoami) in started


async def test_a_render_process_imports_nothing_that_its_fork_server_has_not(processes: ProcessPool) -> None:
    imported = await processes.run(WAIT_S, process_pool_calls.modules)
    of_this_file = process_pool_calls.__name__  # and what every process of a fork server imports
    program = f"import {', '.join(PRELOAD)}, multiprocessing.popen_forkserver, {of_this_file}, sys"
    command = [sys.executable, "-c", f"{program}\nprint(*sys.modules)"]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    assert imported - {"multiprocessing.popen_fork"} <= set(done.stdout.split())
    assert "structlog" not in imported  # nor what else only the program needs that has the pool


async def test_a_render_process_calculates_in_one_thread_however_many_processors_there_are(
    processes: ProcessPool,
) -> None:
    assert await processes.run(WAIT_S, os.getenv, "OPENBLAS_NUM_THREADS") == "1"


async def test_an_error_with_an_outcome_comes_back_as_it_is(processes: ProcessPool) -> None:
    with pytest.raises(UnreadableImage, match="as requested"):
        await processes.run(WAIT_S, process_pool_calls.refuse)
    with pytest.raises(FileNotFoundError):
        await processes.run(WAIT_S, os.stat, "/nothing/here")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
async def test_a_call_whose_files_do_not_fit_says_so(processes: ProcessPool) -> None:
    with pytest.raises(StorageFull):
        await processes.run(WAIT_S, process_pool_calls.fill_the_disk)


async def test_an_unforeseen_error_is_a_failure_of_that_call_alone(processes: ProcessPool) -> None:
    with pytest.raises(RenderFailed) as failed:
        await processes.run(WAIT_S, process_pool_calls.fail)
    assert (failed.value.code, failed.value.outcome) == ("render_failed", "permanent")
    assert "as requested" not in str(failed.value)
    assert isinstance(failed.value.__cause__, ZeroDivisionError)
    assert await processes.run(WAIT_S, process_pool_calls.double, 1) == 2


async def test_a_process_is_bounded_in_memory_cores_and_priority(processes: ProcessPool) -> None:
    assert await processes.run(WAIT_S, process_pool_calls.limits) == (GIB, 0, os.nice(0) + 5)
    with pytest.raises(MemoryError):
        await processes.run(WAIT_S, process_pool_calls.allocate, 2 * GIB)
    assert await processes.run(WAIT_S, process_pool_calls.double, 1) == 2


async def test_a_process_that_dies_is_replaced(processes: ProcessPool) -> None:
    for _ in range(3):
        with pytest.raises(RenderCrashed) as crash:
            await processes.run(WAIT_S, process_pool_calls.die)
        assert (crash.value.code, isinstance(crash.value, RenderError)) == ("render_crashed", True)
        assert await processes.run(WAIT_S, process_pool_calls.double, 1) == 2


async def test_processes_that_die_while_idle_are_replaced(processes: ProcessPool) -> None:
    pids = {await processes.run(WAIT_S, process_pool_calls.whoami) for _ in range(20)}
    waiting = [psutil.Process(pid) for pid in pids]
    for process in waiting:
        process.kill()
    await asyncio.to_thread(psutil.wait_procs, waiting, timeout=WAIT_S)
    done = await asyncio.gather(*(processes.run(WAIT_S, process_pool_calls.double, n) for n in range(10)))
    assert done == [2 * n for n in range(10)]


async def test_a_call_that_takes_too_long_is_killed(processes: ProcessPool, tmp_path: Path) -> None:
    with pytest.raises(RenderTimeout, match=r"longer than 2 s") as late:
        await processes.run(2, process_pool_calls.sleep, str(tmp_path / "pid"))
    assert late.value.code == "render_timeout"
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
    assert await processes.run(WAIT_S, process_pool_calls.double, 1) == 2


@pytest.fixture
def quickly_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libs.runtime.process_pool.START_S", 10.0)


@pytest.mark.usefixtures("quickly_replaced")
async def test_a_call_that_no_process_takes_is_run_by_new_ones() -> None:
    pool = ProcessPool("test", 1, memory_bytes=GIB)
    process = psutil.Process(await pool.run(WAIT_S, process_pool_calls.whoami))
    process.suspend()
    assert await pool.run(WAIT_S, process_pool_calls.double, 1) == 2
    assert not process.is_running()
    await pool.close()


@pytest.mark.usefixtures("quickly_replaced")
async def test_processes_are_replaced_when_one_dies_with_the_lock_that_all_of_them_need(
    processes: ProcessPool,
) -> None:
    with pytest.raises(RenderCrashed, match="died"):
        await processes.run(WAIT_S, process_pool_calls.die_with_the_lock)
    done = await asyncio.gather(*(processes.run(WAIT_S, process_pool_calls.double, n) for n in range(4)))
    assert done == [0, 2, 4, 6]


async def test_a_cancelled_call_is_killed(processes: ProcessPool, tmp_path: Path) -> None:
    call, process = await sleeping(processes, tmp_path / "pid")
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert call.cancelled()
    await asyncio.to_thread(process.wait, WAIT_S)
    assert await processes.run(WAIT_S, process_pool_calls.double, 1) == 2


async def test_a_late_call_is_not_run_again_while_its_process_withstands_being_stopped(
    processes: ProcessPool, tmp_path: Path
) -> None:
    starts = tmp_path / "starts"
    with pytest.raises(RenderTimeout):
        await processes.run(0.5, process_pool_calls.sleep_through_sigterm, str(starts))
    assert starts.read_text() == "start\n"


@pytest.mark.parametrize("ended_by", ["cancelled", "late"])
async def test_a_call_runs_again_whose_process_was_killed_for_the_call_before(
    tmp_path: Path, ended_by: str
) -> None:
    """The process ends the first call and takes the next before Pebble's threads run, which kill and read."""
    pool = ProcessPool("test", 1, memory_bytes=GIB, prefetch=True)
    for turn in range(4):
        started, go = tmp_path / f"{turn} started", tmp_path / f"{turn} go"
        first = asyncio.create_task(pool.run(1, process_pool_calls.wait_for, str(started), str(go)))
        following = asyncio.create_task(pool.run(3600, time.sleep, 0.6))
        await until(partial(asyncio.to_thread, started.exists))
        if ended_by == "cancelled":
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
        else:
            await asyncio.sleep(0.95)
        go.touch()
        ctypes.PyDLL(None).usleep(300_000)  # with the interpreter's lock
        async with asyncio.timeout(WAIT_S):
            await following
        await asyncio.gather(first, return_exceptions=True)
    await pool.close()


async def test_processes_that_end_before_their_call_are_counted_by_the_reason(
    processes: ProcessPool, tmp_path: Path, counted: Counted
) -> None:
    with pytest.raises(RenderTimeout):
        await processes.run(0.5, time.sleep, 60)
    with pytest.raises(RenderCrashed):
        await processes.run(WAIT_S, process_pool_calls.die)
    for path in (tmp_path / "one", tmp_path / "two"):
        call, _ = await sleeping(processes, path)
        await processes.run(WAIT_S, process_pool_calls.double, 1)  # behind it in the pipe of those that run
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    assert await processes.run(WAIT_S, process_pool_calls.double, 1) == 2
    killed = "darkroom_render_processes_killed_total"
    reasons = ("timeout", "crashed", "cancelled", "silent")
    assert {reason: counted(killed, reason=reason) for reason in reasons} == {
        "timeout": 1,
        "crashed": 1,
        "cancelled": 2,
        "silent": 0,
    }


async def test_a_process_that_is_frozen_while_it_answers_is_counted_as_silent_and_replaced(
    processes: ProcessPool, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = {await processes.run(WAIT_S, process_pool_calls.whoami) for _ in range(20)}
    with monkeypatch.context() as patch:
        patch.setattr("libs.runtime.process_pool.START_S", 1.0)
        with pytest.raises(RenderCrashed, match="did not answer"):
            await processes.run(0.5, process_pool_calls.stop_with_the_lock)
    killed = "darkroom_render_processes_killed_total"
    assert counted(killed, reason="silent") == 1
    assert await processes.run(WAIT_S, process_pool_calls.double, 1) == 2
    assert not any(psutil.pid_exists(pid) for pid in frozen)
    assert counted(killed, reason="silent") == 1
    assert sum(counted(killed, reason=reason) for reason in ("timeout", "crashed", "cancelled")) == 0


async def test_no_more_run_at_once_than_there_are_processes(processes: ProcessPool, tmp_path: Path) -> None:
    busy = [await sleeping(processes, tmp_path / str(n)) for n in range(2)]
    third = asyncio.create_task(processes.run(WAIT_S, process_pool_calls.double, 1))
    busy[0][0].cancel()
    assert await third == 2
    busy[1][0].cancel()
    await asyncio.gather(*(call for call, _ in busy), return_exceptions=True)


async def test_a_prefetched_call_is_timed_from_its_own_start(tmp_path: Path) -> None:
    pool = ProcessPool("test", 1, memory_bytes=GIB, prefetch=True)
    late = asyncio.create_task(pool.run(3, process_pool_calls.sleep, str(tmp_path / "pid")))
    prefetched = asyncio.create_task(pool.run(3, time.sleep, 1))
    with pytest.raises(RenderTimeout):
        await late
    await prefetched
    await pool.close()


async def test_closing_ends_all_processes(tmp_path: Path) -> None:
    pool = ProcessPool("test", 1, memory_bytes=GIB)
    call, process = await sleeping(pool, tmp_path / "pid")
    await pool.close()
    assert not process.is_running()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)


async def test_a_pool_that_was_never_used_closes() -> None:
    await ProcessPool("test", 1, memory_bytes=GIB).close()


async def sleeping(processes: ProcessPool, path: Path) -> tuple[asyncio.Task[None], psutil.Process]:
    """A running call, and its process."""
    call = asyncio.create_task(processes.run(3600, process_pool_calls.sleep, str(path)))
    async with asyncio.timeout(WAIT_S):
        while not (path.exists() and path.read_text()):
            await asyncio.sleep(0.01)
    return call, psutil.Process(int(path.read_text()))
