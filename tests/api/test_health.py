"""Health: for load balancers, without a token."""

from tests.support.client import Client
from tests.support.site import Site


async def test_a_running_site_is_live_and_ready(site: Site) -> None:
    async with Client(site) as client:
        live, ready = await client.get("/health/live"), await client.get("/health/ready")
    assert (live.status, live.json) == (200, {"status": "ok"})
    assert (ready.status, ready.json) == (
        200,
        {"status": "ok", "database": "ok", "objects": "ok", "broker": "ok"},
    )
