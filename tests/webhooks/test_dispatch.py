"""Webhook events as their receiver sees them."""

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.client import Client
from tests.support.photo_server import INSIDE
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site_jobs import ENDLESS
from tests.support.waiting import WAIT_S
from tests.support.webhook_receiver import CLOSE, HOLD, PlannedResponse, Receiver
from tests.webhooks.webhook_requests import (
    SMALL,
    account_secret,
    codes,
    deliveries,
    delivery,
    finished,
    send_test_event,
    until_delivery,
    webhook,
)

PATIENCE_S = 10  # time for all that a test does meanwhile, on a busy machine too


async def done(client: Client, photo: Path | bytes, webhook_url: str | None = None) -> dict[str, Any]:
    """A job over an upload, once it has ended."""
    fields = {} if webhook_url is None else {"webhook_url": webhook_url}
    answer = await client.upload(photo, SMALL, headers=None, wait_s=None, **fields)
    assert answer.status == 202, answer
    return await client.job_done(answer.json["job_id"])


def large_picture() -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").resize((3000, 3000)).convert("RGB").save(file, "JPEG")
    return file.getvalue()


def path_of(client: Client, name: str = "") -> str:
    """An address that nobody else uses."""
    return f"/{client.username}/{name}"


async def test_a_job_sends_to_its_own_address_and_to_every_webhook(
    client: Client, receiver: Receiver, photo: Path
) -> None:
    own, hook = path_of(client, "own"), path_of(client, "hook")
    made = await webhook(client, receiver.url(hook), "job.completed")
    await webhook(client, receiver.url(path_of(client, "failures")), "job.failed")
    job = await done(client, photo, webhook_url=receiver.url(own))
    bare, subscribed = (await receiver.received(own))[0], (await receiver.received(hook))[0]
    assert bare.body == subscribed.body
    assert bare.id != subscribed.id
    event = bare.verified(await account_secret(client))
    assert subscribed.verified(made["secret"]) == event
    assert (event["type"], set(event)) == ("job.completed", {"type", "timestamp", "data"})
    data = event["data"]
    assert (data["job_id"], data["status"], data["kind"]) == (job["id"], "completed", "transform")
    assert (data["result_id"], data["image_id"]) == (job["result_id"], job["image_id"])
    image = (await client.get(f"/api/images/{job['result_id']}")).json
    assert {name: data["result"][name] for name in ("md5", "width", "format", "size_bytes")} == {
        name: image[name] for name in ("md5", "width", "format", "size_bytes")
    }
    found = await finished(client, bare.id)
    assert (found["status"], found["attempts"], codes(found)) == ("delivered", 1, [200])
    assert (found["subject"], found["webhook"], found["body"]) == (job["id"], None, bare.body.decode())
    assert len(await deliveries(client)) == 2


async def test_a_failed_job_sends_its_error(client: Client, receiver: Receiver, photo: Path) -> None:
    path = path_of(client)
    cut = photo.read_bytes()[:20_000]
    job = await done(client, cut, webhook_url=receiver.url(path))
    assert job["status"] == "failed"
    event = (await receiver.received(path))[0].verified(await account_secret(client))
    assert event["type"] == "job.failed"
    assert (event["data"]["error_code"], event["data"]["result"]) == ("image_truncated", None)


async def test_a_refused_delivery_is_sent_again_with_the_same_id_and_bytes(
    client: Client, receiver: Receiver, photo: Path
) -> None:
    path = path_of(client)
    receiver.plans[path] = [PlannedResponse(500), PlannedResponse(503)]
    await done(client, photo, webhook_url=receiver.url(path))
    came = await receiver.received(path, 3)
    secret = await account_secret(client)
    assert all(one.verified(secret)["type"] == "job.completed" for one in came)
    assert len({one.body for one in came}) == len({one.id for one in came}) == 1
    stamps = [int(one.headers["webhook-timestamp"]) for one in came]
    assert stamps == sorted(stamps)
    assert stamps[0] < stamps[2]
    found = await finished(client, came[0].id)
    assert (found["status"], codes(found), found["attempts"]) == ("delivered", [500, 503, 200], 3)
    assert [one["error"] for one in found["history"]] == ["answered 500", "answered 503", None]


@ON_ONE_SITE
async def test_a_receiver_that_hangs_is_given_up_and_tried_again(client: Client, receiver: Receiver) -> None:
    path = path_of(client)
    made = await webhook(client, receiver.url(path))
    receiver.plans[path] = [HOLD]
    found = await finished(client, await send_test_event(client, made["id"]))
    assert (found["status"], codes(found)) == ("delivered", [None, 200])
    assert found["history"][0]["error"].startswith("url_timeout")
    assert found["history"][0]["took_ms"] >= 6000
    assert len(receiver.at(path)) == 2


@ON_ONE_SITE
async def test_a_receiver_that_closes_the_connection_is_tried_again(
    client: Client, receiver: Receiver
) -> None:
    path = path_of(client)
    made = await webhook(client, receiver.url(path))
    receiver.plans[path] = [CLOSE]
    found = await finished(client, await send_test_event(client, made["id"]))
    assert (found["status"], codes(found)) == ("delivered", [None, 200])
    assert found["history"][0]["error"].startswith("url_unreachable")


@ON_ONE_SITE
@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_a_failure_and_is_not_followed(
    client: Client, receiver: Receiver, status: int
) -> None:
    path = path_of(client)
    made = await webhook(client, receiver.url(path))
    inside = f"http://{INSIDE}:{receiver.port}/"
    receiver.plans[path] = [
        PlannedResponse(status, {"Location": inside}),
        PlannedResponse(status, {"Location": receiver.url(path_of(client, "elsewhere"))}),
    ]
    found = await finished(client, await send_test_event(client, made["id"]))
    assert (found["status"], codes(found)) == ("delivered", [status, status, 200])
    assert receiver.at(path_of(client, "elsewhere")) == []


async def test_after_the_last_attempt_a_delivery_has_failed_until_it_is_sent_again_by_hand(
    client: Client, receiver: Receiver
) -> None:
    path = path_of(client)
    made = await webhook(client, receiver.url(path))
    receiver.always[path] = PlannedResponse(500)
    failed = await finished(client, await send_test_event(client, made["id"]))
    assert (failed["status"], codes(failed)) == ("failed", [500] * 4)
    assert failed["next_attempt_at"] is None
    assert (await client.get(f"/api/webhooks/{made['id']}")).json["active"]
    receiver.always[path] = PlannedResponse(202)
    again = await client.post(f"/api/webhooks/deliveries/{failed['id']}/redeliver")
    assert (again.status, again.json["status"]) == (202, "pending")
    found = await finished(client, failed["id"])
    assert (found["status"], codes(found), found["attempts"]) == ("delivered", [500, 500, 500, 500, 202], 5)
    came = receiver.at(path)
    assert len({one.body for one in came}) == len({one.id for one in came}) == 1
    assert came[-1].verified(made["secret"])["type"] == "webhook.test"


async def test_status_410_disables_a_webhook(client: Client, receiver: Receiver, photo: Path) -> None:
    path = path_of(client)
    made = await webhook(client, receiver.url(path), "job.completed")
    receiver.plans[path] = [PlannedResponse(410)]
    found = await finished(client, await send_test_event(client, made["id"]))
    assert (found["status"], codes(found)) == ("failed", [410])
    shown = (await client.get(f"/api/webhooks/{made['id']}")).json
    assert (shown["active"], shown["disabled_reason"]) == (False, "gone")
    refused = [
        await client.post(f"/api/webhooks/{made['id']}/test"),
        await client.post(f"/api/webhooks/deliveries/{found['id']}/redeliver"),
    ]
    assert [(one.status, one.code) for one in refused] == [(409, "webhook_disabled")] * 2
    await done(client, photo)
    assert len(await deliveries(client)) == 1
    enabled = await client.call("PATCH", f"/api/webhooks/{made['id']}", json={"active": True})
    assert (enabled.json["active"], enabled.json["disabled_reason"]) == (True, None)
    job = await done(client, photo)
    assert (await receiver.received(path, 2))[1].verified(made["secret"])["data"]["job_id"] == job["id"]


async def test_when_a_delivery_has_ended_with_410_its_webhook_is_disabled(
    client: Client, receiver: Receiver
) -> None:
    async def active_after_its_end(name: str) -> bool:
        path = path_of(client, name)
        made = await webhook(client, receiver.url(path))
        receiver.plans[path] = [PlannedResponse(410)]
        sent = await send_test_event(client, made["id"])
        while (await delivery(client, sent))["finished_at"] is None:
            pass  # without a pause: it is about the moment after
        return (await client.get(f"/api/webhooks/{made['id']}")).json["active"]

    async with asyncio.timeout(WAIT_S):
        assert not any(await asyncio.gather(*(active_after_its_end(str(one)) for one in range(20))))


@ON_ONE_SITE
async def test_a_receivers_retry_after_holds_for_all_its_deliveries(
    client: Client, receiver: Receiver
) -> None:
    path, other_path = path_of(client, "busy"), path_of(client, "idle")
    busy, idle = (
        await webhook(client, receiver.url(path)),
        await webhook(client, receiver.url(other_path)),
    )
    receiver.plans[path] = [PlannedResponse(429, {"Retry-After": f"{PATIENCE_S}"})]
    ids = [await send_test_event(client, busy["id"])]
    refused = await until_delivery(client, ids[0], lambda one: bool(one["history"]))
    assert codes(refused) == [429]
    ids += [await send_test_event(client, busy["id"]) for _ in range(3)]
    beside = await send_test_event(client, idle["id"])
    assert (await finished(client, beside))["attempts"] == 1
    assert [one["attempts"] for one in [await delivery(client, one) for one in ids[1:]]] == [0, 0, 0]
    for one in ids:
        assert (await finished(client, one))["status"] == "delivered"
    came = receiver.at(path)
    assert len(came) == 5
    assert came[1].at - came[0].at >= PATIENCE_S
    assert receiver.at(other_path)[0].at < came[1].at


@pytest.mark.parametrize("status", [502, 504])
async def test_an_overloaded_receiver_gets_one_delivery_at_a_time_at_first(
    client: Client, receiver: Receiver, status: int
) -> None:
    path = path_of(client)
    made = await webhook(client, receiver.url(path))
    receiver.plans[path] = [PlannedResponse(status), PlannedResponse(status)]
    first = await send_test_event(client, made["id"])
    await until_delivery(client, first, lambda one: len(one["history"]) == 2)
    others = [await send_test_event(client, made["id"]) for _ in range(4)]
    for one in [first, *others]:
        assert (await finished(client, one))["status"] == "delivered"
    for one in others:
        assert (await delivery(client, one))["attempts"] == 1
    assert len(receiver.at(path)) == 7


async def test_a_rotated_secret_signs_beside_the_new_one(
    client: Client, receiver: Receiver, photo: Path
) -> None:
    path, own = path_of(client, "hook"), path_of(client, "own")
    made, account_before = (
        await webhook(client, receiver.url(path)),
        await account_secret(client),
    )
    rotated = (await client.post(f"/api/webhooks/{made['id']}/secret/rotate")).json
    account = (await client.post("/api/webhooks/secret/rotate")).json
    secrets = {made["secret"], rotated["secret"], account_before, account["secret"]}
    assert len(secrets) == 4
    assert all(one.startswith("whsec_") for one in secrets)
    assert rotated["previous_secret_until"] is not None
    assert account["previous_secret_until"] is not None
    assert await account_secret(client) == account["secret"]
    await done(client, photo, webhook_url=receiver.url(own))
    for where, mine in (
        (path, (made["secret"], rotated["secret"])),
        (own, (account_before, account["secret"])),
    ):
        came = (await receiver.received(where))[0]
        assert [came.verified(secret)["type"] for secret in mine] == ["job.completed"] * 2
        assert len(came.headers["webhook-signature"].split(" ")) == 2
        for foreign in secrets - set(mine):
            with pytest.raises(Exception, match="No matching signature"):
                came.verified(foreign)


async def test_neither_describe_jobs_nor_cancelled_jobs_send_webhooks(
    client: Client, receiver: Receiver, photo: Path
) -> None:
    path = path_of(client)
    await webhook(client, receiver.url(path))
    stored = await client.upload(photo)  # described by a job of its own
    await client.job_done(stored.json["job_id"])
    slow = await client.upload(large_picture(), ENDLESS)
    assert (await client.call("DELETE", f"/api/jobs/{slow.json['job_id']}")).status == 200
    job = await done(client, photo)
    came = await receiver.received(path)
    assert [one["subject"] for one in await deliveries(client)] == [job["id"]]
    assert len(came) == 1


async def test_a_plain_upload_with_an_address_sends_once_it_is_described(
    client: Client, receiver: Receiver, photo: Path
) -> None:
    path = path_of(client)
    stored = await client.upload(photo, webhook_url=receiver.url(path))
    event = (await receiver.received(path))[0].verified(await account_secret(client))
    assert (event["data"]["kind"], event["data"]["image_id"]) == ("describe", stored.json["id"])


async def test_a_webhook_that_is_the_jobs_address_too_gets_one_delivery(
    client: Client, receiver: Receiver, photo: Path
) -> None:
    path = path_of(client)
    made = await webhook(client, receiver.url(path), "job.completed")
    await done(client, photo, webhook_url=receiver.url(path))
    (await receiver.received(path))[0].verified(made["secret"])
    assert len(await deliveries(client)) == 1


async def test_a_moved_webhook_takes_what_waits_along(client: Client, receiver: Receiver) -> None:
    old, new = path_of(client, "old"), path_of(client, "new")
    made = await webhook(client, receiver.url(old))
    receiver.plans[old] = [PlannedResponse(503, {"Retry-After": "60"})]
    waiting = await send_test_event(client, made["id"])
    await until_delivery(client, waiting, lambda one: codes(one) == [503])
    moved = await client.call("PATCH", f"/api/webhooks/{made['id']}", json={"url": receiver.url(new)})
    assert moved.json["url"] == receiver.url(new)
    assert (await client.post(f"/api/webhooks/deliveries/{waiting}/redeliver")).status == 202
    assert (await receiver.received(new))[0].id == waiting
    assert len(receiver.at(old)) == 1


async def test_many_deliveries_arrive_once_each(client: Client, receiver: Receiver) -> None:
    path = path_of(client)
    made = await webhook(client, receiver.url(path))
    ids = [await send_test_event(client, made["id"]) for _ in range(30)]
    came = await receiver.received(path, 30)
    assert sorted(one.id for one in came) == sorted(ids)
