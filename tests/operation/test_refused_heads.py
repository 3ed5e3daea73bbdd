"""Requests that no app sees are counted by the reason for which they were refused."""

from contextlib import AsyncExitStack

import pytest

from tests.api.raw_connections import HEAD, connected, is_alive, last_answer
from tests.operation.conftest import parsed, scraped, total
from tests.support.ports import free_port
from tests.support.shared_sites import NewSite
from tests.support.site import Site
from tests.support.waiting import until_equal

CONNECTIONS = 4
POST = b"POST /accounts/login HTTP/1.1\r\nContent-Type: application/json\r\n"
BODY_NEVER_ENDS = POST + b"Content-Length: 99\r\n\r\n{"

pytestmark = pytest.mark.parametrize("new_site", ["embedded"], indirect=True)


class Counters:
    """What the site counted."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def refused(self) -> dict[str, float]:
        """The refused requests by reason, without reasons that never were."""
        series = parsed(await scraped(self._port))
        return {
            dict(labels)["reason"]: value
            for (name, labels), value in series.items()
            if name == "darkroom_http_refused_total" and value
        }

    async def served(self) -> float:
        return total(parsed(await scraped(self._port)), "darkroom_http_request_duration_seconds_count")


async def counting_site(new_site: NewSite, **settings: str) -> tuple[Site, Counters]:
    port = free_port()
    site = await new_site(METRICS_PORT=str(port), **settings)
    return site, Counters(port)


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (b"not HTTP at all\r\n\r\n", b"400", "bad_head"),
        (b"GET http:// HTTP/1.1\r\n\r\n", b"400", "bad_head"),
        (b"GET / HTTP/1.1\r\na: b\r\n", b"408", "head_timeout"),
        (b"GET / HTTP/1.1\r\na: " + b"x" * 100_000, b"431", "head_too_large"),
    ],
)
async def test_a_head_that_is_no_request_is_counted_by_its_fault(
    new_site: NewSite, sent: bytes, status: bytes, reason: str
) -> None:
    site, counters = await counting_site(new_site, REQUEST_HEAD_S="1")
    served = await counters.served()
    async with connected(site, sent) as stream:
        assert (await last_answer(stream)).startswith(b"HTTP/1.1 " + status)
    assert await counters.refused() == {reason: 1}
    assert await counters.served() == served
    assert await is_alive(site)
    assert await counters.served() == served + 1
    assert await counters.refused() == {reason: 1}, "connections that end after their request are not refused"


async def test_a_broken_body_is_no_broken_head(new_site: NewSite) -> None:
    site, counters = await counting_site(new_site)
    served = await counters.served()
    async with connected(site, POST + b"Transfer-Encoding: chunked\r\n\r\nno length\r\n") as stream:
        assert await last_answer(stream)
    await until_equal(served + 1, counters.served)
    assert await counters.refused() == {}


async def test_clients_for_whom_there_is_no_connection_are_counted(new_site: NewSite) -> None:
    site, counters = await counting_site(
        new_site, MAX_CONNECTIONS=str(CONNECTIONS), REQUEST_HEAD_S="60", MIN_BODY_BYTES_PER_S="1"
    )
    async with AsyncExitStack() as stack:
        for _ in range(CONNECTIONS - 2):
            await stack.enter_async_context(connected(site, BODY_NEVER_ENDS))
        idle = await stack.enter_async_context(connected(site))
        unfinished = await stack.enter_async_context(connected(site, HEAD))
        await stack.enter_async_context(connected(site, BODY_NEVER_ENDS))
        assert await last_answer(idle) == b""
        assert await counters.refused() == {}, "it has asked for nothing"
        await stack.enter_async_context(connected(site, BODY_NEVER_ENDS))
        assert await last_answer(unfinished) == b""
        assert await counters.refused() == {"displaced": 1}
        late = await stack.enter_async_context(connected(site))
        assert (await last_answer(late)).startswith(b"HTTP/1.1 503 Service Unavailable")
        assert await counters.refused() == {"displaced": 1, "connections": 1}
