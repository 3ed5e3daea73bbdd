"""Limits on waiting for an S3 server, which may be there and say nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from libs.runtime.metrics.pools import PoolState, pool_states
from libs.storage.objects import StoreUnavailable, open_objects, s3
from tests.storage.object_calls import every_call_raises_unavailable, get, put, s3_url
from tests.support.counting import Counted
from tests.support.fault_proxy import FaultProxy
from tests.support.services import own_bucket
from tests.support.silent_server import silent_server
from tests.support.tcp_timers import probed_connections
from tests.support.waiting import WAIT_S, until

pytest_plugins = ("tests.storage.objects_fixtures",)

FAILS_S = 15  # less than the HTTP client would wait for an answer
LARGE_BYTES = 32_000_000  # more than all buffers on the way hold


async def test_no_call_waits_long_for_a_server_that_says_nothing(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "CALL_S", 0.3)
    async with silent_server() as port:
        store = open_objects(f"s3://key:secret@127.0.0.1:{port}/bucket?secure=false", scratch)
        async with asyncio.timeout(FAILS_S):
            await every_call_raises_unavailable(store, scratch)


async def test_a_server_that_accepts_no_connection_is_unavailable_before_the_limit_of_a_call(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "CONNECT_S", 0.3)
    with full_listener() as port:
        store = open_objects(f"s3://key:secret@127.0.0.1:{port}/bucket?secure=false", scratch)
        async with asyncio.timeout(FAILS_S):
            with pytest.raises(StoreUnavailable):
                await store.ping()
        await store.close()


@contextmanager
def full_listener() -> Generator[int]:
    """Listen on a port, and accept none of the connections that fill its queue."""
    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.mark.services
async def test_the_wait_for_a_free_connection_is_limited(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "HEALTH_CONNECTIONS", 1)
    monkeypatch.setattr(s3, "POOL_S", 0.3)
    async with FaultProxy.to(s3_url()) as proxy:
        store = open_objects(proxy.url, scratch)
        await store.ping()
        proxy.pause()
        first = asyncio.ensure_future(store.ping())
        await asyncio.sleep(0)
        async with asyncio.timeout(FAILS_S):
            with pytest.raises(StoreUnavailable):
                await store.ping()
        assert not first.done()
        proxy.resume()
        await first
        await store.close()


def pool(name: str) -> PoolState:
    return dict(pool_states())[name]


@pytest.mark.services
async def test_metrics_show_how_full_the_connections_are_and_how_long_calls_waited_for_one(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, counted: Counted
) -> None:
    monkeypatch.setattr(s3, "HEALTH_CONNECTIONS", 1)
    async with FaultProxy.to(s3_url()) as proxy:
        store = open_objects(proxy.url, scratch)
        assert pool("s3.health") == PoolState(size=1, used=0, waiting=0)
        await store.ping()
        proxy.pause()
        pings = [asyncio.ensure_future(store.ping()) for _ in range(3)]

        async def waiting() -> bool:
            return pool("s3.health") == PoolState(size=1, used=1, waiting=2)

        await until(waiting)
        pings.pop().cancel()
        proxy.resume()
        await asyncio.gather(*pings)
        assert pool("s3.health") == PoolState(size=1, used=0, waiting=0)
        assert counted("darkroom_pool_wait_seconds_count", pool="s3.health") == 2
        assert pool("s3").size == s3.CONNECTIONS
        await store.close()
    assert not [name for name, _ in pool_states() if name.startswith("s3")]


@pytest.mark.services
async def test_downloads_that_wait_for_others_are_shown(
    scratch: Path, monkeypatch: pytest.MonkeyPatch, counted: Counted
) -> None:
    monkeypatch.setattr(s3, "DOWNLOADS", 1)
    store = open_objects(own_bucket(), scratch)
    await put(store, "small", b"pixels", scratch)
    await put(store, "large", bytes(LARGE_BYTES), scratch)
    async with store.read("large") as chunks:
        assert pool("s3.downloads") == PoolState(size=1, used=1, waiting=0)
        other = asyncio.ensure_future(get(store, "small"))

        async def waiting() -> bool:
            return pool("s3.downloads").waiting == 1

        await until(waiting)
        await anext(chunks)  # from now on the client of this download is slow
        assert await asyncio.wait_for(other, WAIT_S) == b"pixels"
        await _read_on(chunks)
    assert pool("s3.downloads") == PoolState(size=1, used=0, waiting=0)
    waits = counted("darkroom_pool_wait_seconds_count", pool="s3.downloads")
    assert waits in (1, 2), "the slow one may wait for its connection too"
    assert counted("darkroom_pool_wait_seconds_sum", pool="s3.downloads") >= 0.5
    await store.close()


@pytest.mark.services
async def test_an_object_that_stops_in_its_middle_is_unavailable(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "READ_S", 1.0)
    async with FaultProxy.to(own_bucket()) as proxy:
        store = open_objects(proxy.url, scratch)
        await put(store, "half", bytes(LARGE_BYTES), scratch)
        async with store.read("half") as chunks, asyncio.timeout(WAIT_S):
            await anext(chunks)
            proxy.silence()
            with pytest.raises(StoreUnavailable):
                await _read_on(chunks)
        await store.close()


async def _read_on(chunks: AsyncIterator[bytes]) -> None:
    async for _ in chunks:
        pass


@pytest.mark.services
async def test_the_kernel_notices_a_lost_server(scratch: Path) -> None:
    url = s3_url()
    port = urlsplit(url).port
    assert port is not None
    store = open_objects(url, scratch)
    await store.ping()

    async def probed() -> bool:
        found = probed_connections(port)
        return bool(found) and all(found)

    await until(probed, within_s=20)
    await store.close()
