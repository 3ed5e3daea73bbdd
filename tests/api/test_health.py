"""Health: for load balancers, without a token."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from libs import backends as backends_module
from libs.runtime.disk import free_bytes
from tests.support.backends import opened_backends
from tests.support.client import Client
from tests.support.fault_proxy import FaultProxy
from tests.support.services import own_bucket, own_database, own_vhost
from tests.support.silent_server import silent_server
from tests.support.site import Site, running_site


async def test_a_running_site_is_live_and_ready(site: Site) -> None:
    async with Client(site) as client:
        live, ready = await client.get("/health/live"), await client.get("/health/ready")
    assert (live.status, live.json) == (200, {"status": "ok"})
    assert (ready.status, ready.json) == (
        200,
        {"status": "ok", "database": "ok", "objects": "ok", "broker": "ok", "disk": "ok", "edits": "off"},
    )


async def test_a_site_with_too_little_free_space_is_not_ready(tmp_path: Path) -> None:
    async with opened_backends(tmp_path, MIN_FREE_BYTES=str(2**60)) as backends:
        found = await backends.health()
    assert (found.status, found.database, found.disk) == ("failing", "ok", "failing: StorageFull")


@pytest.mark.parametrize("small", ["temporary files", "objects"])
async def test_space_is_looked_at_where_temporary_files_and_where_objects_are(
    tmp_path: Path, small: str
) -> None:
    with TemporaryDirectory(dir="/dev/shm") as memory:
        smaller, larger = sorted((Path(memory), tmp_path), key=free_bytes)
        folder, objects = (larger, smaller) if small == "objects" else (smaller, larger)
        enough_for_one = (free_bytes(smaller) + free_bytes(larger)) // 2
        settings = {"OBJECTS_URL": f"{objects.as_uri()}/objects", "MIN_FREE_BYTES": str(enough_for_one)}
        async with opened_backends(folder, **settings) as backends:
            assert (await backends.health()).disk == "failing: StorageFull"
        async with opened_backends(folder, **settings | {"MIN_FREE_BYTES": "0"}) as backends:
            assert (await backends.health()).disk == "ok"


async def test_ready_does_not_wait_long_for_a_backend_that_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends_module, "HEALTH_TIMEOUT_S", 0.5)
    async with silent_server() as port:
        url = f"s3://key:secret@127.0.0.1:{port}/bucket?secure=false"
        async with opened_backends(tmp_path, OBJECTS_URL=url) as backends, asyncio.timeout(15):
            found = await backends.health()  # the client of the store would wait for 20 s
    assert (found.status, found.database, found.objects) == ("failing", "ok", "failing: TimeoutError")


@pytest.mark.services
async def test_ready_names_the_backend_that_is_away_and_recovers_with_it(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        urls = {
            "database": await stack.enter_async_context(own_database()),
            "objects": own_bucket(),
            "broker": await stack.enter_async_context(own_vhost()),
        }
        proxies = {part: await stack.enter_async_context(FaultProxy.to(url)) for part, url in urls.items()}
        settings = {f"{part.upper()}_URL": proxy.url for part, proxy in proxies.items()}
        site = await stack.enter_async_context(running_site("services", tmp_path / "site", **settings))
        client = await stack.enter_async_context(Client(site))
        for part, proxy in proxies.items():
            proxy.cut()
            away = await client.get("/health/ready")
            alive = await client.get("/health/live")
            proxy.restore()
            await site.ready()
            assert (away.status, alive.status) == (503, 200)
            assert away.json["status"] == "failing"
            assert {name for name in urls if away.json[name] != "ok"} == {part}
