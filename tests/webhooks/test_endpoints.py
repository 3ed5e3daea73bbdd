"""Webhooks as their owner manages them."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.support.client import Client
from tests.support.photo_server import INSIDE
from tests.support.shared_sites import signed_in
from tests.support.url_images import create
from tests.support.webhook_receiver import PlannedResponse, Receiver
from tests.webhooks.webhook_requests import (
    SMALL,
    account_secret,
    deliveries,
    finished,
    send_test_event,
    webhook,
)

FORBIDDEN = [
    "http://127.0.0.1/hook",
    "https://localhost/",
    "ftp://example.org/",
    "http://[::1]/",
    "example.org",
]
ALL_EVENTS = {"job.completed", "job.failed", "batch.completed", "image.expired"}


@pytest.mark.parametrize("url", FORBIDDEN)
async def test_a_forbidden_address_is_refused_at_once(
    client: Client, receiver: Receiver, photo: Path, url: str
) -> None:
    made = await webhook(client, receiver.url("/none"))
    image = (await client.upload(photo)).json
    source = receiver.url("/photo.jpg")
    refused = [
        await client.post("/api/webhooks", json={"url": url, "events": ["job.failed"]}),
        await client.call("PATCH", f"/api/webhooks/{made['id']}", json={"url": url}),
        await client.upload(photo, SMALL, webhook_url=url),
        await create(client, source, wait_s=None, webhook_url=url),
        await client.post(
            f"/api/images/{image['id']}/transform", json={"operations": SMALL, "webhook_url": url}
        ),
    ]
    assert [(one.status, one.code) for one in refused] == [(422, "url_forbidden")] * 5
    assert len((await client.get("/api/images")).json) == 1
    assert len((await client.get("/api/jobs")).json) == 1
    assert len((await client.get("/api/webhooks")).json) == 1
    assert (await client.get(f"/api/webhooks/{made['id']}")).json["url"] == made["url"]


async def test_the_secret_of_a_webhook_is_shown_once(client: Client, receiver: Receiver) -> None:
    url = receiver.url("/once")
    answer = await client.post("/api/webhooks", json={"url": url, "events": ["job.failed", "job.completed"]})
    assert answer.status == 201
    made = answer.json
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert (made["url"], made["active"], made["disabled_reason"]) == (url, True, None)
    assert set(made["events"]) == {"job.completed", "job.failed"}
    assert (await client.get(f"/api/webhooks/{made['id']}")).json == made
    listed = await client.get("/api/webhooks")
    assert (listed.json, listed.headers["X-Total-Count"]) == ([made], "1")
    assert secret.encode() not in listed.body
    assert await account_secret(client) == await account_secret(client) != secret


async def test_a_webhook_made_twice_with_one_key_is_made_once(client: Client, receiver: Receiver) -> None:
    key, body = {"Idempotency-Key": uuid4().hex}, {"url": receiver.url("/key")}
    first, second = [await client.post("/api/webhooks", json=body, headers=key) for _ in range(2)]
    assert (first.status, first.json) == (second.status, second.json)
    assert set(first.json["events"]) == ALL_EVENTS
    assert len((await client.get("/api/webhooks")).json) == 1


async def test_a_rotation_that_is_repeated_by_its_key_rotates_once(
    client: Client, receiver: Receiver
) -> None:
    made = await webhook(client, receiver.url("/key"))
    for path in (f"/api/webhooks/{made['id']}/secret/rotate", "/api/webhooks/secret/rotate"):
        key = {"Idempotency-Key": uuid4().hex}
        first, second = [await client.post(path, headers=key) for _ in range(2)]
        assert (first.status, first.json) == (second.status, second.json)
        assert (await client.post(path)).json["secret"] != first.json["secret"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": ""},
        {"url": "http://example.org", "events": []},
        {"url": "http://example.org", "events": ["job.started"]},
        {"url": "http://example.org", "secret": "mine"},
    ],
)
async def test_a_malformed_webhook_is_refused(client: Client, body: dict[str, object]) -> None:
    answer = await client.post("/api/webhooks", json=body)
    assert (answer.status, answer.code) == (400, "invalid_request")


async def test_an_account_may_have_so_many_webhooks(client: Client, receiver: Receiver) -> None:
    for number in range(20):
        await webhook(client, receiver.url(f"/{number}"))
    answer = await client.post("/api/webhooks", json={"url": receiver.url("/20")})
    assert (answer.status, answer.code) == (409, "too_many_webhooks")
    first = await client.get("/api/webhooks", params={"limit": "15"})
    following = first.headers["Link"].partition(">")[0].lstrip("<")
    rest = await client.get(following)
    ids = [one["id"] for one in first.json + rest.json]
    assert len(set(ids)) == 20
    assert ids == sorted(ids, reverse=True)


async def test_the_webhooks_of_others_are_not_found(client: Client, receiver: Receiver) -> None:
    made = await webhook(client, receiver.url("/mine"))
    sent = await send_test_event(client, made["id"])
    await finished(client, sent)
    at, its = f"/api/webhooks/{made['id']}", f"/api/webhooks/deliveries/{sent}"
    async with signed_in(client.site) as other_client:
        refused = [
            await other_client.get(at),
            await other_client.call("PATCH", at, json={"active": False}),
            await other_client.call("DELETE", at),
            await other_client.post(f"{at}/secret/rotate"),
            await other_client.post(f"{at}/test"),
        ]
        assert [(one.status, one.code) for one in refused] == [(404, "webhook_not_found")] * 5
        refused = [await other_client.get(its), await other_client.post(f"{its}/redeliver")]
        assert [(one.status, one.code) for one in refused] == [(404, "webhook_delivery_not_found")] * 2
        assert (await other_client.get("/api/webhooks")).json == await deliveries(other_client) == []
        assert await account_secret(other_client) != await account_secret(client)
    assert (await client.get(at)).json["active"]
    assert (await client.get("/api/webhooks", token="")).status == 401


async def test_a_disabled_webhook_gets_nothing_until_it_is_enabled(
    client: Client, receiver: Receiver
) -> None:
    path = f"/{client.username}"
    made = await webhook(client, receiver.url(path))
    receiver.plans[path] = [PlannedResponse(503, {"Retry-After": "600"})]
    waiting = await send_test_event(client, made["id"])
    await receiver.received(path)
    at = f"/api/webhooks/{made['id']}"
    disabled = await client.call("PATCH", at, json={"active": False, "events": ["job.failed"]})
    assert (disabled.json["active"], disabled.json["disabled_reason"]) == (False, "by_owner")
    assert disabled.json["events"] == ["job.failed"]
    assert (await finished(client, waiting))["status"] == "failed"
    assert (await client.post(f"{at}/test")).code == "webhook_disabled"
    enabled = await client.call("PATCH", at, json={"active": True})
    assert (enabled.json["active"], enabled.json["disabled_reason"]) == (True, None)
    assert (await client.post(f"{at}/test")).status == 202


async def test_deliveries_are_listed_newest_first_and_filtered(client: Client, receiver: Receiver) -> None:
    one, other = (
        await webhook(client, receiver.url("/one")),
        await webhook(client, receiver.url("/other")),
    )
    sent = [await send_test_event(client, hook["id"]) for hook in (one, other, one, one)]
    for each in sent:
        await finished(client, each)
    listed = await deliveries(client)
    assert [each["id"] for each in listed] == sent[::-1]
    assert "body" not in listed[0]
    assert [each["id"] for each in await deliveries(client, webhook=other["id"])] == [sent[1]]
    assert len(await deliveries(client, status="delivered")) == 4
    assert await deliveries(client, status="failed") == []
    assert await deliveries(client, event="job.failed") == []
    assert len(await deliveries(client, event="webhook.test")) == 4
    assert await deliveries(client, subject=str(uuid4())) == []
    page = await client.get("/api/webhooks/deliveries", params={"limit": "3", "status": "delivered"})
    assert page.headers["X-Total-Count"] == "4"
    following = page.headers["Link"].partition(">")[0].lstrip("<")
    assert [each["id"] for each in (await client.get(following)).json] == sent[:1]
    refused = await client.get("/api/webhooks/deliveries", params={"status": "lost"})
    assert (refused.status, refused.code) == (400, "invalid_request")


async def test_a_deleted_webhook_takes_its_deliveries_along(client: Client, receiver: Receiver) -> None:
    path = f"/{client.username}"
    made = await webhook(client, receiver.url(path))
    receiver.plans[path] = [PlannedResponse(503, {"Retry-After": "600"})]
    waiting = await send_test_event(client, made["id"])
    await receiver.received(path)
    assert (await client.call("DELETE", f"/api/webhooks/{made['id']}")).status == 204
    gone = [
        await client.get(f"/api/webhooks/{made['id']}"),
        await client.get(f"/api/webhooks/deliveries/{waiting}"),
        await client.get(f"/api/webhooks/deliveries/{uuid4()}"),
        await client.call("DELETE", f"/api/webhooks/{made['id']}"),
    ]
    assert {one.status for one in gone} == {404}
    assert await deliveries(client) == []


async def test_a_request_repeated_by_its_key_sends_one_webhook(
    client: Client, receiver: Receiver, photo: Path
) -> None:
    path, key = f"/{client.username}", {"Idempotency-Key": uuid4().hex}
    jobs = [
        (await client.upload(photo, SMALL, headers=key, webhook_url=receiver.url(path))).json["job_id"]
        for _ in range(2)
    ]
    assert jobs[0] == jobs[1]
    await client.job_done(jobs[0])
    came = await receiver.received(path)
    assert [UUID(one["subject"]) for one in await deliveries(client)] == [UUID(jobs[0])]
    assert len(came) == 1


async def test_a_transform_sends_to_its_own_address(client: Client, receiver: Receiver, photo: Path) -> None:
    path = f"/{client.username}"
    image = (await client.upload(photo)).json
    request = {"operations": SMALL, "webhook_url": receiver.url(path)}
    job = (await client.post(f"/api/images/{image['id']}/transform", json=request)).json
    event = (await receiver.received(path))[0].verified(await account_secret(client))
    assert (event["type"], event["data"]["job_id"]) == ("job.completed", job["id"])


async def test_a_host_name_that_resolves_inside_is_refused_at_the_connection(
    client: Client, receiver: Receiver
) -> None:
    """The tests' own guard opens one address alone; a name cannot be seen to lead elsewhere before."""
    made = await webhook(client, f"http://localhost.localdomain:{receiver.port}/")
    found = await finished(client, await send_test_event(client, made["id"]))
    assert found["status"] == "failed"
    assert {one["status_code"] for one in found["history"]} == {None}
    assert INSIDE  # nobody came there: the receiver's own end sees to that
