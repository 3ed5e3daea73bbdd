"""Links to all backends that die without a word: processes recover by themselves, and stop on a signal."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from libs.runtime.signals import DRAINS, REST_S
from tests.support.client import Client
from tests.support.fault_proxy import FaultProxy
from tests.support.services import own_bucket, own_database, own_vhost
from tests.support.site import Site, running_site
from tests.support.site_jobs import SMALL, accepted
from tests.support.waiting import until

pytestmark = pytest.mark.services

DRAIN_S = 2.0
HEALS_S = 60.0
STOP_WITHIN_S = DRAINS * DRAIN_S + REST_S
BUSY_S = 10.0  # that a loaded machine may add


@pytest.fixture
async def proxies() -> AsyncGenerator[dict[str, FaultProxy]]:
    async with AsyncExitStack() as stack:
        urls = {
            "DATABASE_URL": await stack.enter_async_context(own_database()),
            "BROKER_URL": await stack.enter_async_context(own_vhost()),
            "OBJECTS_URL": own_bucket(),
        }
        yield {name: await stack.enter_async_context(FaultProxy.to(url)) for name, url in urls.items()}


async def ended(site: Site, name: str) -> float:
    """Send SIGTERM and return how many seconds the process took to end."""
    started = asyncio.get_running_loop().time()
    process = site.apps.pop(name)
    process.send_signal(signal.SIGTERM)
    await process.wait()
    return asyncio.get_running_loop().time() - started


async def test_processes_outlive_dead_links_and_stop_while_nothing_answers(
    proxies: dict[str, FaultProxy], tmp_path: Path, photo: Path
) -> None:
    urls = {name: proxy.url for name, proxy in proxies.items()}
    settings = urls | {"DRAIN_S": str(DRAIN_S)}
    async with running_site("services", tmp_path / "site", **settings) as site, Client(site) as client:
        await client.register()
        await client.login()
        await client.job_done(await accepted(client, photo, SMALL))
        for proxy in proxies.values():
            proxy.silence()
        clock = asyncio.get_running_loop().time
        started = clock()

        async def is_accepted() -> bool:
            return (await client.upload(photo, SMALL, wait_s=5)).status in (201, 202)

        await until(is_accepted)
        [job] = (await client.get("/api/jobs", params={"limit": "1"})).json
        assert (await client.job_done(job["id"]))["status"] == "completed"
        assert clock() - started < HEALS_S + BUSY_S
        for proxy in proxies.values():
            proxy.pause()
        took = await asyncio.gather(*(ended(site, name) for name in list(site.apps)))
        assert max(took) < STOP_WITHIN_S + BUSY_S
