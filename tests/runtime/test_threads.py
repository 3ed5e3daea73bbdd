"""Thread pools: each is bounded, and none waits for another."""

import asyncio
import os
import threading

import pytest

from libs.runtime import threads
from libs.runtime.threads import ServerBusy, ThreadPool
from tests.support.waiting import WAIT_S


async def test_a_full_pool_holds_up_no_other() -> None:
    full, other, release = ThreadPool("full", 2), ThreadPool("other", 1), threading.Event()
    blocked = [asyncio.create_task(full.run(release.wait)) for _ in range(5)]
    assert await other.run(threading.current_thread) is not threading.current_thread()
    assert not any(task.done() for task in blocked)
    release.set()
    assert await asyncio.gather(*blocked) == [True] * 5


async def test_each_purpose_has_threads_of_its_own_and_a_bound() -> None:
    pools = {name: pool for name, pool in vars(threads).items() if isinstance(pool, ThreadPool)}
    assert len(pools) == 6
    for full in pools:
        release = threading.Event()
        blocked = [asyncio.create_task(pools[full].run(release.wait)) for _ in range(pools[full].size + 1)]
        try:
            async with asyncio.timeout(WAIT_S):
                for other in pools.keys() - {full}:
                    await pools[other].run(threading.current_thread)
        finally:
            release.set()  # else the threads of a shared pool would keep the test's process
        assert await asyncio.gather(*blocked) == [True] * (pools[full].size + 1)


async def test_no_more_threads_run_than_the_pool_has() -> None:
    pool, running, most, lock = ThreadPool("small", 2), 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        os.sched_yield()
        with lock:
            running -= 1

    await asyncio.gather(*(pool.run(work) for _ in range(50)))
    assert most <= 2


async def test_a_call_beyond_those_that_may_wait_is_refused_at_once() -> None:
    pool, release = ThreadPool("short", 1, max_waiting=2), threading.Event()
    taken = [asyncio.create_task(pool.run(release.wait)) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(ServerBusy):
        await pool.run(release.wait)
    release.set()
    await asyncio.gather(*taken)
    assert await pool.run(lambda: 7) == 7


async def test_a_call_that_waits_and_is_cancelled_never_runs() -> None:
    pool, release, ran = ThreadPool("one", 1), threading.Event(), threading.Event()
    first = asyncio.create_task(pool.run(release.wait))
    second = asyncio.create_task(pool.run(ran.set))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait([second])
    release.set()
    await first
    await pool.run(lambda: None)
    assert not ran.is_set()


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="only Linux has priorities of threads")
async def test_threads_of_a_nice_pool_give_way() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    usual = priority()
    assert await ThreadPool("nice", 1, niceness=3).run(priority) == min(usual + 3, 19)
