"""Notices as their receiver sees them."""

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.client import Client
from tests.support.photo_server import INSIDE
from tests.support.site_jobs import ENDLESS
from tests.webhooks.webhook_receiver import CLOSE, HOLD, Answer, Receiver
from tests.webhooks.webhook_requests import (
    SMALL,
    account_secret,
    codes,
    deliveries,
    delivery,
    finished,
    trial,
    until_delivery,
    webhook,
)


async def done(client: Client, photo: Path | bytes, webhook_url: str | None = None) -> dict[str, Any]:
    """A job over an upload, once it has ended."""
    told = {} if webhook_url is None else {"webhook_url": webhook_url}
    answer = await client.upload(photo, SMALL, headers=None, wait_s=None, **told)
    assert answer.status == 202, answer
    return await client.job_done(answer.json["job_id"])


def large_picture() -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").resize((3000, 3000)).convert("RGB").save(file, "JPEG")
    return file.getvalue()


def path_of(client: Client, name: str = "") -> str:
    """An address that nobody else uses."""
    return f"/{client.username}/{name}"


async def test_a_job_tells_its_own_address_and_every_webhook(
    teller: Client, receiver: Receiver, photo: Path
) -> None:
    own, hook = path_of(teller, "own"), path_of(teller, "hook")
    made = await webhook(teller, receiver.url(hook), "job.completed")
    await webhook(teller, receiver.url(path_of(teller, "failures")), "job.failed")
    job = await done(teller, photo, webhook_url=receiver.url(own))
    bare, subscribed = (await receiver.received(own))[0], (await receiver.received(hook))[0]
    assert bare.body == subscribed.body
    assert bare.id != subscribed.id
    told = bare.verified(await account_secret(teller))
    assert subscribed.verified(made["secret"]) == told
    assert (told["type"], set(told)) == ("job.completed", {"type", "timestamp", "data"})
    data = told["data"]
    assert (data["job_id"], data["status"], data["kind"]) == (job["id"], "completed", "transform")
    assert (data["result_id"], data["image_id"]) == (job["result_id"], job["image_id"])
    image = (await teller.get(f"/api/images/{job['result_id']}")).json
    assert {name: data["result"][name] for name in ("md5", "width", "format", "size_bytes")} == {
        name: image[name] for name in ("md5", "width", "format", "size_bytes")
    }
    found = await finished(teller, bare.id)
    assert (found["status"], found["attempts"], codes(found)) == ("delivered", 1, [200])
    assert (found["subject"], found["webhook"], found["body"]) == (job["id"], None, bare.body.decode())
    assert len(await deliveries(teller)) == 2


async def test_a_failed_job_tells_why(teller: Client, receiver: Receiver, photo: Path) -> None:
    path = path_of(teller)
    cut = photo.read_bytes()[:20_000]
    job = await done(teller, cut, webhook_url=receiver.url(path))
    assert job["status"] == "failed"
    told = (await receiver.received(path))[0].verified(await account_secret(teller))
    assert told["type"] == "job.failed"
    assert (told["data"]["error_code"], told["data"]["result"]) == ("image_truncated", None)


async def test_a_refused_notice_comes_again_with_the_same_id_and_bytes(
    teller: Client, receiver: Receiver, photo: Path
) -> None:
    path = path_of(teller)
    receiver.plans[path] = [Answer(500), Answer(503)]
    await done(teller, photo, webhook_url=receiver.url(path))
    came = await receiver.received(path, 3)
    secret = await account_secret(teller)
    assert all(one.verified(secret)["type"] == "job.completed" for one in came)
    assert len({one.body for one in came}) == len({one.id for one in came}) == 1
    stamps = [int(one.headers["webhook-timestamp"]) for one in came]
    assert stamps == sorted(stamps)
    assert stamps[0] < stamps[2]
    found = await finished(teller, came[0].id)
    assert (found["status"], codes(found), found["attempts"]) == ("delivered", [500, 503, 200], 3)
    assert [one["error"] for one in found["history"]] == ["answered 500", "answered 503", None]


async def test_a_receiver_that_hangs_is_given_up_and_tried_again(teller: Client, receiver: Receiver) -> None:
    path = path_of(teller)
    made = await webhook(teller, receiver.url(path))
    receiver.plans[path] = [HOLD]
    found = await finished(teller, await trial(teller, made["id"]))
    assert (found["status"], codes(found)) == ("delivered", [None, 200])
    assert found["history"][0]["error"].startswith("url_timeout")
    assert found["history"][0]["took_ms"] >= 2000
    assert len(receiver.at(path)) == 2


async def test_a_receiver_that_closes_the_connection_is_tried_again(
    teller: Client, receiver: Receiver
) -> None:
    path = path_of(teller)
    made = await webhook(teller, receiver.url(path))
    receiver.plans[path] = [CLOSE]
    found = await finished(teller, await trial(teller, made["id"]))
    assert (found["status"], codes(found)) == ("delivered", [None, 200])
    assert found["history"][0]["error"].startswith("url_unreachable")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_a_failure_and_is_not_followed(
    teller: Client, receiver: Receiver, status: int
) -> None:
    path = path_of(teller)
    made = await webhook(teller, receiver.url(path))
    inside = f"http://{INSIDE}:{receiver.port}/"
    receiver.plans[path] = [
        Answer(status, {"Location": inside}),
        Answer(status, {"Location": receiver.url(path_of(teller, "elsewhere"))}),
    ]
    found = await finished(teller, await trial(teller, made["id"]))
    assert (found["status"], codes(found)) == ("delivered", [status, status, 200])
    assert receiver.at(path_of(teller, "elsewhere")) == []


async def test_after_the_last_attempt_a_notice_has_failed_until_it_is_sent_again_by_hand(
    teller: Client, receiver: Receiver
) -> None:
    path = path_of(teller)
    made = await webhook(teller, receiver.url(path))
    receiver.always[path] = Answer(500)
    failed = await finished(teller, await trial(teller, made["id"]))
    assert (failed["status"], codes(failed)) == ("failed", [500] * 4)
    assert failed["next_attempt_at"] is None
    assert (await teller.get(f"/api/webhooks/{made['id']}")).json["active"]
    receiver.always[path] = Answer(202)
    again = await teller.post(f"/api/webhooks/deliveries/{failed['id']}/redeliver")
    assert (again.status, again.json["status"]) == (202, "pending")
    found = await finished(teller, failed["id"])
    assert (found["status"], codes(found), found["attempts"]) == ("delivered", [500, 500, 500, 500, 202], 5)
    came = receiver.at(path)
    assert len({one.body for one in came}) == len({one.id for one in came}) == 1
    assert came[-1].verified(made["secret"])["type"] == "webhook.test"


async def test_status_410_disables_a_webhook(teller: Client, receiver: Receiver, photo: Path) -> None:
    path = path_of(teller)
    made = await webhook(teller, receiver.url(path), "job.completed")
    receiver.plans[path] = [Answer(410)]
    found = await finished(teller, await trial(teller, made["id"]))
    assert (found["status"], codes(found)) == ("failed", [410])
    shown = (await teller.get(f"/api/webhooks/{made['id']}")).json
    assert (shown["active"], shown["disabled_reason"]) == (False, "gone")
    refused = [
        await teller.post(f"/api/webhooks/{made['id']}/test"),
        await teller.post(f"/api/webhooks/deliveries/{found['id']}/redeliver"),
    ]
    assert [(one.status, one.code) for one in refused] == [(409, "webhook_disabled")] * 2
    await done(teller, photo)
    assert len(await deliveries(teller)) == 1
    enabled = await teller.call("PATCH", f"/api/webhooks/{made['id']}", json={"active": True})
    assert (enabled.json["active"], enabled.json["disabled_reason"]) == (True, None)
    job = await done(teller, photo)
    assert (await receiver.received(path, 2))[1].verified(made["secret"])["data"]["job_id"] == job["id"]


async def test_who_finds_a_notice_ended_by_410_finds_its_webhook_disabled(
    teller: Client, receiver: Receiver
) -> None:
    async def active_after_its_end(name: str) -> bool:
        path = path_of(teller, name)
        made = await webhook(teller, receiver.url(path))
        receiver.plans[path] = [Answer(410)]
        sent = await trial(teller, made["id"])
        while (await delivery(teller, sent))["finished_at"] is None:
            pass  # without a pause: it is about the moment after
        return (await teller.get(f"/api/webhooks/{made['id']}")).json["active"]

    async with asyncio.timeout(60):
        assert not any(await asyncio.gather(*(active_after_its_end(str(one)) for one in range(20))))


async def test_a_receiver_that_asks_for_patience_gets_it_for_all_its_notices(
    teller: Client, receiver: Receiver
) -> None:
    path, other_path = path_of(teller, "busy"), path_of(teller, "idle")
    busy, idle = await webhook(teller, receiver.url(path)), await webhook(teller, receiver.url(other_path))
    receiver.plans[path] = [Answer(429, {"Retry-After": "3"})]
    ids = [await trial(teller, busy["id"])]
    refused = await until_delivery(teller, ids[0], lambda one: bool(one["history"]))
    assert codes(refused) == [429]
    ids += [await trial(teller, busy["id"]) for _ in range(3)]
    beside = await trial(teller, idle["id"])
    assert (await finished(teller, beside))["attempts"] == 1
    assert [one["attempts"] for one in [await delivery(teller, one) for one in ids[1:]]] == [0, 0, 0]
    for one in ids:
        assert (await finished(teller, one))["status"] == "delivered"
    came = receiver.at(path)
    assert len(came) == 5
    assert came[1].at - came[0].at >= 3
    assert receiver.at(other_path)[0].at < came[1].at


@pytest.mark.parametrize("status", [502, 504])
async def test_an_overloaded_receiver_gets_one_notice_at_a_time_at_first(
    teller: Client, receiver: Receiver, status: int
) -> None:
    path = path_of(teller)
    made = await webhook(teller, receiver.url(path))
    receiver.plans[path] = [Answer(status), Answer(status)]
    first = await trial(teller, made["id"])
    await until_delivery(teller, first, lambda one: len(one["history"]) == 2)
    others = [await trial(teller, made["id"]) for _ in range(4)]
    for one in [first, *others]:
        assert (await finished(teller, one))["status"] == "delivered"
    for one in others:
        assert (await delivery(teller, one))["attempts"] == 1
    assert len(receiver.at(path)) == 7


async def test_a_rotated_secret_signs_beside_the_new_one(
    teller: Client, receiver: Receiver, photo: Path
) -> None:
    path, own = path_of(teller, "hook"), path_of(teller, "own")
    made, account_before = await webhook(teller, receiver.url(path)), await account_secret(teller)
    rotated = (await teller.post(f"/api/webhooks/{made['id']}/secret/rotate")).json
    account = (await teller.post("/api/webhooks/secret/rotate")).json
    secrets = {made["secret"], rotated["secret"], account_before, account["secret"]}
    assert len(secrets) == 4
    assert all(one.startswith("whsec_") for one in secrets)
    assert rotated["previous_secret_until"] is not None
    assert account["previous_secret_until"] is not None
    assert await account_secret(teller) == account["secret"]
    await done(teller, photo, webhook_url=receiver.url(own))
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


async def test_what_nobody_asked_for_or_somebody_stopped_is_not_told(
    teller: Client, receiver: Receiver, photo: Path
) -> None:
    path = path_of(teller)
    await webhook(teller, receiver.url(path))
    stored = await teller.upload(photo)  # described by a job of its own
    await teller.job_done(stored.json["job_id"])
    slow = await teller.upload(large_picture(), ENDLESS)
    assert (await teller.call("DELETE", f"/api/jobs/{slow.json['job_id']}")).status == 200
    job = await done(teller, photo)
    came = await receiver.received(path)
    assert [one["subject"] for one in await deliveries(teller)] == [job["id"]]
    assert len(came) == 1


async def test_a_plain_upload_with_an_address_tells_once_it_is_described(
    teller: Client, receiver: Receiver, photo: Path
) -> None:
    path = path_of(teller)
    stored = await teller.upload(photo, webhook_url=receiver.url(path))
    told = (await receiver.received(path))[0].verified(await account_secret(teller))
    assert (told["data"]["kind"], told["data"]["image_id"]) == ("describe", stored.json["id"])


async def test_a_webhook_named_as_address_too_is_told_once(
    teller: Client, receiver: Receiver, photo: Path
) -> None:
    path = path_of(teller)
    made = await webhook(teller, receiver.url(path), "job.completed")
    await done(teller, photo, webhook_url=receiver.url(path))
    (await receiver.received(path))[0].verified(made["secret"])
    assert len(await deliveries(teller)) == 1


async def test_a_moved_webhook_takes_what_waits_along(teller: Client, receiver: Receiver) -> None:
    old, new = path_of(teller, "old"), path_of(teller, "new")
    made = await webhook(teller, receiver.url(old))
    receiver.plans[old] = [Answer(503, {"Retry-After": "60"})]
    waiting = await trial(teller, made["id"])
    await until_delivery(teller, waiting, lambda one: codes(one) == [503])
    moved = await teller.call("PATCH", f"/api/webhooks/{made['id']}", json={"url": receiver.url(new)})
    assert moved.json["url"] == receiver.url(new)
    assert (await teller.post(f"/api/webhooks/deliveries/{waiting}/redeliver")).status == 202
    assert (await receiver.received(new))[0].id == waiting
    assert len(receiver.at(old)) == 1


async def test_many_notices_arrive_once_each(teller: Client, receiver: Receiver) -> None:
    path = path_of(teller)
    made = await webhook(teller, receiver.url(path))
    ids = [await trial(teller, made["id"]) for _ in range(30)]
    came = await receiver.received(path, 30)
    assert sorted(one.id for one in came) == sorted(ids)
