"""Limits on waiting for an S3 server, which may be there and say nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from libs.storage.objects import StoreUnavailable, open_objects, s3
from tests.storage.object_calls import every_call_raises_unavailable, put, s3_url
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
