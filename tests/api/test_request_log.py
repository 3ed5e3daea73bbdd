"""Logs: one id from the request to the worker, and no secrets."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aio_pika import Message

from libs.contracts.topology import JOBS, Route
from tests.broker.connections import raw_channel
from tests.support.client import PASSWORD, Client
from tests.support.site import Site
from tests.support.waiting import WAIT_S


def lines_of(site: Site, app: str, mark: str) -> list[dict[str, Any]]:
    """The log lines that carry the id of a request or a job."""
    text = site.log_of("serve" if site.kind == "embedded" else app).read_text()
    return [json.loads(line) for line in text.splitlines() if f'"{mark}"' in line]


async def line_of(site: Site, app: str, mark: str, event: str) -> dict[str, Any]:
    """The log line of an event that has the id, once it is there."""
    async with asyncio.timeout(WAIT_S):
        while not (found := [line for line in lines_of(site, app, mark) if line["event"] == event]):
            await asyncio.sleep(0.02)
    [line] = found
    return line


async def test_a_requests_id_is_sent_back_and_followed_into_the_worker(
    shared_client: Client, photo: Path
) -> None:
    own = f"mine-{uuid4().hex}"
    answer = await shared_client.upload(photo, [{"op": "grayscale"}], headers={"X-Request-ID": own})
    assert answer.headers["X-Request-ID"] == own
    job_id = answer.json["job_id"]
    await shared_client.job_done(job_id)
    completed = await line_of(shared_client.site, "worker", own, "job_completed")
    request = await line_of(shared_client.site, "api", own, "request")
    assert (request["method"], request["route"], request["status"]) == ("POST", "/api/images", 202)
    assert completed["job_id"] == request["job_id"] == job_id
    for app in ("api", "worker", "scheduler"):
        assert {line["request_id"] for line in lines_of(shared_client.site, app, job_id)} <= {own}


@pytest.mark.parametrize("shared_site", [pytest.param("services", marks=pytest.mark.services)], indirect=True)
async def test_a_dead_letter_is_logged_with_the_request_that_it_came_from(site: Site) -> None:
    own, job_id = uuid4().hex, str(uuid4())
    message = Message(b"no order", message_id=job_id, headers={"x-request-id": own})
    async with raw_channel(site.settings["BROKER_URL"]) as channel:
        exchange = await channel.get_exchange(JOBS, ensure=False)
        await exchange.publish(message, Route.TRANSFORM.value)
    assert (await line_of(site, "worker", job_id, "dead_letter"))["request_id"] == own


@pytest.mark.parametrize("given", ["", "with space", "x" * 65, 'quo"te', "a\tb"])
async def test_an_id_that_will_not_do_is_replaced(shared_client: Client, given: str) -> None:
    answer = await shared_client.get("/accounts/me", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] not in ("", given)
    assert len(answer.headers["X-Request-ID"]) == 32


async def test_every_answer_has_an_id(shared_client: Client) -> None:
    seen = [
        (await shared_client.get(path)).headers["X-Request-ID"]
        for path in ("/health/live", "/nowhere", "/schema")
    ]
    assert len(set(seen)) == 3


async def test_no_token_password_or_body_is_in_the_logs(client: Client, photo: Path) -> None:
    assert client.token
    secret_name = f"secret-{uuid4().hex}.jpg"
    image = (await client.upload(photo, [{"op": "grayscale"}], filename=secret_name, wait_s=60)).json
    link = (await client.post(f"/api/images/{image['id']}/link")).json["url"]
    assert (await client.call("HEAD", link, token="", allow_redirects=False)).status in (200, 302)
    await client.get(f"/accounts/me?token={client.token}")
    wrong = "a password that is wrong"
    await client.post("/accounts/login", json={"username": client.username, "password": wrong}, token="")
    refreshed = await client.post("/accounts/refresh", json={"refresh_token": client.refresh_token})
    await client.post("/accounts/refresh", json={"refresh_token": client.refresh_token})
    logs = client.site.logs()
    assert client.site.settings.get("SECRET_KEY", PASSWORD) not in logs
    for word in (
        PASSWORD,
        wrong,
        secret_name,
        client.token,
        client.refresh_token,
        refreshed.json["access_token"],
        link.rpartition("/")[2],
        "JFIF",
        "X-Amz-Signature",
    ):
        assert word not in logs
