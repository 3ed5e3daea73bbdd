"""The API for pages of other origins: CORS, and event streams by ticket."""

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from tests.support.client import Client
from tests.support.shared_sites import NewSite, signed_in
from tests.support.site_contents import refused
from tests.support.waiting import WAIT_S

ORIGIN = "https://shop.example"
EMBEDDED = pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "PUT",
    "Access-Control-Request-Headers": "authorization,idempotency-key,prefer",
}


@EMBEDDED
async def test_only_the_origins_of_the_setting_are_allowed_and_without_cookies(new_site: NewSite) -> None:
    site = await new_site(CORS_ORIGINS=f"{ORIGIN}, http://localhost:3000")
    async with signed_in(site) as client:
        preflight = await client.call("OPTIONS", "/api/images", headers=PREFLIGHT, token="")
        assert preflight.status == 200
        assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
        assert "idempotency-key" in preflight.headers["Access-Control-Allow-Headers"]
        assert int(preflight.headers["Access-Control-Max-Age"]) > 600
        assert "Access-Control-Allow-Credentials" not in preflight.headers
        for answer in (
            await client.get("/api/images", headers={"Origin": ORIGIN}),
            await client.get("/api/images", headers={"Origin": ORIGIN}, token="wrong"),
            await client.get("/nowhere", headers={"Origin": ORIGIN}),
        ):
            assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
            assert {"X-Total-Count", "Link", "Retry-After", "Location"} <= set(
                answer.headers["Access-Control-Expose-Headers"].split(", ")
            )
            assert "Origin" in answer.headers["Vary"]
        for other in ("https://shop.example.evil.example", "http://shop.example", "null"):
            answer = await client.get("/api/images", headers={"Origin": other})
            assert "Access-Control-Allow-Origin" not in answer.headers
        options = await client.call("OPTIONS", "/api/images", token="")
        assert (options.status, options.headers["Allow"]) == (204, "GET, OPTIONS, POST")


@EMBEDDED
async def test_every_answer_varies_with_the_origin_in_one_line_beside_what_else_it_varies_with(
    new_site: NewSite,
) -> None:
    site = await new_site(CORS_ORIGINS=ORIGIN)
    async with signed_in(site) as client:
        for path, vary in (("/", "Accept, Origin"), ("/api/images", "Origin"), ("/health/live", "Origin")):
            for headers in ({}, {"Origin": ORIGIN}, {"Origin": "https://evil.example"}):
                async with client.session.get(f"{site.url}{path}", headers=headers) as answer:
                    assert answer.headers.getall("Vary") == [vary], path
                    allowed = answer.headers.getall("Access-Control-Allow-Origin", [])
                    assert allowed == ([ORIGIN] if headers.get("Origin") == ORIGIN else [])


@EMBEDDED
async def test_any_origin_is_allowed_where_the_setting_is_a_star(new_site: NewSite) -> None:
    site = await new_site(CORS_ORIGINS="*")
    async with signed_in(site) as client:
        answer = await client.get("/api/images", headers={"Origin": ORIGIN})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "X-Total-Count" in answer.headers["Access-Control-Expose-Headers"]
        preflight = await client.call("OPTIONS", "/api/images", headers=PREFLIGHT, token="")
        assert (preflight.status, preflight.headers["Access-Control-Allow-Origin"]) == (200, "*")
        refused = await client.call(
            "OPTIONS", "/api/images", headers={**PREFLIGHT, "Access-Control-Request-Method": "BREW"}, token=""
        )
        assert refused.status == 400


async def test_without_the_setting_no_origin_is_allowed(shared_client: Client) -> None:
    answer = await shared_client.get("/api/images", headers={"Origin": ORIGIN})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


async def stream(client: Client, url: str, **headers: str) -> tuple[int, list[dict[str, str]]]:
    """Read a stream to its end, without a token."""
    async with (
        asyncio.timeout(WAIT_S),
        aiohttp.ClientSession() as session,
        session.get(url if url.startswith("http") else client.site.url + url, headers=headers) as answer,
    ):
        text = (await answer.text()).replace("\r\n", "\n")
        if answer.content_type != "text/event-stream":
            return answer.status, [{"code": json.loads(text)["code"]}] if text else []
        events = [event for event in text.split("\n\n") if event.strip()]
        return answer.status, [dict(line.split(": ", 1) for line in event.split("\n")) for event in events]


async def test_a_ticket_opens_its_stream_alone_and_ends_it_for_who_has_seen_the_end(
    client: Client, photo: Path
) -> None:
    first, second = [(await client.upload(photo, [{"op": "grayscale"}])).json["job_id"] for _ in range(2)]
    ticket = (await client.post(f"/api/jobs/{first}/events/ticket")).json
    assert ticket["url"] == f"{client.site.url}/api/jobs/{first}/events?ticket={ticket['ticket']}"
    status, events = await stream(client, ticket["url"])
    assert (status, events[-1]["event"]) == (200, "completed")
    again = await stream(client, ticket["url"], **{"Last-Event-ID": "queued-0"})
    assert again == (200, events[-1:])
    assert await stream(client, ticket["url"], **{"Last-Event-ID": events[-1]["id"]}) == (204, [])
    text = ticket["ticket"]
    other = await stream(client, f"/api/jobs/{second}/events?ticket={text}")
    assert other == (401, [{"code": "token_invalid"}])
    refused(await client.get(f"/api/jobs/{first}?ticket={text}", token=""), 401, "not_authenticated")
    refused(await client.get(f"/api/jobs/{first}", token=text), 401, "token_invalid")
    assert (await client.post("/accounts/logout", json={"refresh_token": client.refresh_token})).status == 204
    assert await stream(client, ticket["url"]) == (401, [{"code": "not_authenticated"}])


async def test_a_ticket_of_a_key_ends_with_the_key(client: Client, photo: Path) -> None:
    key = (await client.post("/accounts/me/keys", json={"name": "page", "scopes": ["jobs"]})).json
    job = (await client.upload(photo, [{"op": "grayscale"}])).json["job_id"]
    ticket = (await client.post(f"/api/jobs/{job}/events/ticket", token=key["key"])).json
    assert (await stream(client, ticket["url"]))[0] == 200
    assert (await client.call("DELETE", f"/accounts/me/keys/{key['id']}")).status == 204
    assert await stream(client, ticket["url"]) == (401, [{"code": "not_authenticated"}])
    refused(await client.post(f"/api/jobs/{uuid4()}/events/ticket"), 404, "job_not_found")
