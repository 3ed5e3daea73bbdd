"""Limits on waiting for an S3 server, which may be there and say nothing."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from libs.storage.objects import open_objects, s3
from tests.storage.object_calls import every_call_raises_unavailable, s3_url
from tests.support.silent_server import silent_server
from tests.support.tcp_timers import probed_connections
from tests.support.waiting import until

pytest_plugins = ("tests.storage.objects_fixtures",)

READ_S = 15  # less than the HTTP client would wait for an answer


async def test_no_call_waits_long_for_a_server_that_says_nothing(
    scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "CALL_S", 0.3)
    async with silent_server() as port:
        store = open_objects(f"s3://key:secret@127.0.0.1:{port}/bucket?secure=false", scratch)
        async with asyncio.timeout(READ_S):
            await every_call_raises_unavailable(store, scratch)


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
