"""A backend that is away is counted under its own name, and under no other."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.operation.conftest import parsed, scraped, total
from tests.support.client import Answer, Client
from tests.support.fault_proxy import FaultProxy
from tests.support.ports import free_port
from tests.support.services import own_bucket, own_database, own_vhost
from tests.support.shared_sites import signed_in
from tests.support.site import running_site

STEPS = [{"op": "resize", "width": 64}]


async def listing(client: Client, _: str) -> Answer:
    return await client.get("/api/images")


async def download(client: Client, image: str) -> Answer:
    return await client.get(f"/api/images/{image}/download")


async def transform(client: Client, image: str) -> Answer:
    return await client.post(f"/api/images/{image}/transform", json={"operations": STEPS})


NEEDS: Mapping[str, tuple[Callable[[Client, str], Awaitable[Answer]], int]] = {
    "database": (listing, 503),
    "objects": (download, 503),
    "broker": (transform, 202),  # the row is the outbox: the client need not know
}
"""A request that needs a backend, and its status while that is away."""


@pytest.mark.services
async def test_calls_that_a_backend_does_not_answer_are_counted_under_its_name(
    tmp_path: Path, photo: Path
) -> None:
    async with AsyncExitStack() as stack:
        urls = {
            "database": await stack.enter_async_context(own_database()),
            "objects": own_bucket(),
            "broker": await stack.enter_async_context(own_vhost()),
        }
        proxies = {part: await stack.enter_async_context(FaultProxy.to(url)) for part, url in urls.items()}
        settings = {f"api.{part.upper()}_URL": proxy.url for part, proxy in proxies.items()}
        settings |= {f"{part.upper()}_URL": url for part, url in urls.items()}
        port = free_port()
        settings["api.METRICS_PORT"] = str(port)
        site = await stack.enter_async_context(running_site("services", tmp_path / "site", **settings))
        client = await stack.enter_async_context(signed_in(site))
        image = (await client.upload(photo)).json["id"]

        async def errors() -> dict[str, float]:
            series = parsed(await scraped(port))
            return {part: total(series, "darkroom_backend_errors_total", backend=part) for part in urls}

        assert await errors() == dict.fromkeys(urls, 0), "none has failed yet"
        for part, (request, status) in NEEDS.items():
            before = await errors()
            proxies[part].cut()
            answer = await request(client, image)
            during = await errors()
            proxies[part].restore()
            await site.ready()
            assert answer.status == status, answer
            assert ("Retry-After" in answer.headers) == (status == 503)
            assert {name for name in urls if during[name] > before[name]} == {part}
            works = await request(client, image)
            assert works.status in (200, 202), works
