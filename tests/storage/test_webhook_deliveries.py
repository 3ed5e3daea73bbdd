"""Deliveries as rows: who gets which, when, and what is left of them."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from libs.contracts.enums import DeliveryStatus, WebhookEvent
from libs.contracts.views.webhooks import DeliveryAttempt
from libs.storage import (
    accounts,
    due_jobs,
    image_expiry,
    jobs,
    webhook_deliveries,
    webhook_dispatch,
    webhook_endpoints,
    webhook_outbox,
    webhook_secrets,
)
from libs.storage.database.connection import transaction
from libs.storage.database.engine import Engine
from libs.storage.database.tables import (
    BaseUser,
    Batch,
    Image,
    Job,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookPace,
    WebhookSecret,
    now,
)
from libs.storage.job_failure import Failure
from libs.storage.leases import LostLease, fail
from libs.storage.webhook_dispatch import PER_OWNER, PER_TARGET, ClaimedDelivery
from tests.storage.rows import a_job, a_queued_job, an_image, an_owner, claimed, complete

URL = "https://example.org/hook"
ALL = tuple(WebhookEvent)


async def an_endpoint(owner: BaseUser, url: str = URL, *events: WebhookEvent) -> WebhookEndpoint:
    return await webhook_endpoints.create(owner.id, url, events or ALL)


async def a_delivery(owner: BaseUser, url: str = URL, **values: Any) -> WebhookDelivery:
    row = WebhookDelivery(
        owner=owner.id,
        url=url,
        target=webhook_outbox.target_of(owner.id, url),
        event="webhook.test",
        body="{}",
        **values,
    )
    await row.save()
    return row


class Interrupted(Exception):
    """Something went wrong after the end was written, and before it was committed."""


async def interrupted(step: Awaitable[object]) -> None:
    async with transaction():
        await step
        raise Interrupted


def an_attempt(code: int | None = 200) -> DeliveryAttempt:
    return DeliveryAttempt(at=now(), status_code=code, error=None if code == 200 else "no", took_ms=1)


async def taken() -> list[ClaimedDelivery]:
    """All that can be had now."""
    found: list[ClaimedDelivery] = []
    while more := await webhook_dispatch.claim_due(100, lease_s=60):
        found += more
    return found


async def row_of(delivery_id: UUID) -> WebhookDelivery:
    row = await WebhookDelivery.objects().where(WebhookDelivery.id == delivery_id).first()
    assert row is not None
    return row


async def events() -> list[tuple[str, str]]:
    return sorted((one.event, one.url) for one in await WebhookDelivery.objects())


async def test_of_those_who_claim_at_once_one_gets_each_delivery(database: Engine) -> None:
    owner = await an_owner()
    rows = [await a_delivery(owner, f"{URL}/{number}") for number in range(12)]
    claims = await asyncio.gather(*(webhook_dispatch.claim_due(12, lease_s=60) for _ in range(6)))
    got = [one.id for found in claims for one in found]
    assert sorted(got) == sorted(row.id for row in rows)
    assert await taken() == []
    assert {(await row_of(one)).attempts for one in got} == {1}


async def test_one_address_gets_a_few_at_once_and_holds_up_no_other(database: Engine) -> None:
    owner, other = await an_owner(), await an_owner()
    for _ in range(50):
        await a_delivery(owner)
    last = [await a_delivery(owner, f"{URL}/other"), await a_delivery(other)]
    got = await taken()
    assert len(got) == PER_TARGET + 2
    assert {one.id for one in last} < {one.id for one in got}
    (first, *_) = [one for one in got if one.id not in {row.id for row in last}]
    assert await webhook_dispatch.record_success(first, an_attempt())
    assert len(await taken()) == 1


async def test_one_account_gets_its_share_however_many_addresses_it_names(database: Engine) -> None:
    owner, other = await an_owner(), await an_owner()
    for number in range(PER_OWNER + 10):
        await a_delivery(owner, f"{URL}/{number}")
    await a_delivery(other)
    got = await taken()
    assert sorted(one.owner for one in got) == sorted([owner.id] * PER_OWNER + [other.id])


async def test_a_lapsed_lease_gives_the_delivery_to_the_next_and_its_first_holder_writes_nothing(
    database: Engine,
) -> None:
    row = await a_delivery(await an_owner())
    (first,) = await webhook_dispatch.claim_due(1, lease_s=-1)
    (second,) = await webhook_dispatch.claim_due(1, lease_s=60)
    assert (first.id, second.id, second.attempts) == (row.id, row.id, 2)
    assert not await webhook_dispatch.record_failure(first, an_attempt(500), again_at=None)
    await webhook_dispatch.release(first)
    await webhook_dispatch.fail(first, "too late")
    assert (await row_of(row.id)).status == DeliveryStatus.SENDING
    assert await webhook_dispatch.record_success(second, an_attempt())
    found = await row_of(row.id)
    assert (found.status, found.last_status_code, found.failures) == (DeliveryStatus.DELIVERED, 200, 0)
    assert [one.status_code for one in webhook_deliveries.history_of(found)] == [200]


async def test_an_address_that_sent_retry_after_waits_and_then_gets_one_at_a_time(database: Engine) -> None:
    owner = await an_owner()
    for _ in range(3):
        await a_delivery(owner)
    target = webhook_outbox.target_of(owner.id, URL)
    await webhook_dispatch.slow_target(target, until=now() + timedelta(seconds=60))
    assert await taken() == []
    await webhook_dispatch.slow_target(target, until=now() - timedelta(seconds=1))
    (only,) = await taken()
    await webhook_dispatch.record_success(only, an_attempt())
    assert await WebhookPace.count() == 0
    assert len(await taken()) == 2


async def test_the_end_of_a_job_and_its_deliveries_are_one_transaction(database: Engine) -> None:
    owner = await an_owner()
    endpoint = await an_endpoint(owner)
    await an_endpoint(owner, f"{URL}/failures", WebhookEvent.JOB_FAILED)
    await an_endpoint(await an_owner())
    image = await an_image(owner)
    job = await a_job(owner, image, webhook_url=f"{URL}/own")
    stale = await claimed(job.id, worker="a", lease_s=-1)
    held = await claimed(job.id, worker="b")
    with pytest.raises(LostLease):
        await complete(stale, owner)
    assert await events() == []
    with pytest.raises(Interrupted):
        await interrupted(complete(held, owner))
    assert await events() == []
    await complete(held, owner)
    assert await events() == [("job.completed", URL), ("job.completed", f"{URL}/own")]
    rows = await WebhookDelivery.objects()
    assert {row.endpoint for row in rows} == {endpoint.id, None}
    assert len({row.body for row in rows}) == 1


async def test_failed_and_given_up_jobs_have_deliveries_and_cancelled_ones_none(database: Engine) -> None:
    owner = await an_owner()
    await an_endpoint(owner)
    image = await an_image(owner)
    failing, lost, unwanted = [await a_job(owner, image) for _ in range(3)]
    await fail(await claimed(failing.id), Failure("render_timeout", "x" * 100_000))
    await claimed(lost.id, lease_s=-1)
    (lapsed,) = await Job.objects().where(Job.id == lost.id)
    assert await due_jobs.give_up(lapsed, Failure("attempts_exhausted", "lost")) == (True, None)
    assert await due_jobs.give_up(lapsed, Failure("attempts_exhausted", "lost")) == (False, None)
    await jobs.cancel(owner.id, unwanted.id)
    bodies = {row.subject: msgspec.json.decode(row.body)["data"] for row in await WebhookDelivery.objects()}
    assert set(bodies) == {failing.id, lost.id}
    assert bodies[failing.id]["error_code"] == "render_timeout"
    assert bodies[lost.id]["error_code"] == "attempts_exhausted"
    assert all(len(row.body.encode()) < 20_000 for row in await WebhookDelivery.objects())


async def test_a_batch_speaks_for_its_jobs(database: Engine) -> None:
    owner = await an_owner()
    await an_endpoint(owner)
    batch = Batch(
        owner=owner.id, filename="p.csv", status="Completed", total=2, completed=1, failed=1,
        webhook_url=f"{URL}/own", finished_at=now(),
    )  # fmt: skip
    await batch.save()
    job = await a_job(owner, await an_image(owner), batch=batch.id)
    await complete(await claimed(job.id), owner)
    assert await events() == []
    async with transaction():
        await webhook_outbox.add_batch_ended(batch.id)
    assert await events() == [("batch.completed", URL), ("batch.completed", f"{URL}/own")]
    bodies = msgspec.json.decode((await WebhookDelivery.objects())[0].body)
    assert (bodies["type"], bodies["request_id"], bodies["status"]) == (
        "batch.completed",
        str(batch.id),
        "Completed",
    )
    assert (bodies["data"]["total"], bodies["data"]["completed"], bodies["data"]["failed"]) == (2, 1, 1)


async def test_expired_images_tell_and_deleted_ones_do_not(database: Engine) -> None:
    owner = await an_owner()
    await an_endpoint(owner)
    over = [await an_image(owner, expires_at=now() - timedelta(seconds=1)) for _ in range(3)]
    deleted = await an_image(owner, expires_at=now() - timedelta(seconds=1))
    await image_expiry.mark_deleting(deleted.id)
    assert await image_expiry.mark_expired(10) == 3
    assert await image_expiry.mark_expired(10) == 0
    bodies = [msgspec.json.decode(row.body)["data"]["id"] for row in await WebhookDelivery.objects()]
    assert sorted(bodies) == sorted(str(image.id) for image in over)


async def test_a_secret_that_was_replaced_signs_until_its_time_is_over(database: Engine) -> None:
    owner = await an_owner()
    endpoint = await an_endpoint(owner)
    rotated = await webhook_endpoints.rotate(endpoint)
    assert webhook_secrets.signing_secrets(rotated).valid == [rotated.secret, endpoint.secret]
    assert (
        webhook_secrets.signing_secrets(await webhook_endpoints.rotate(rotated, overlap_s=0)).previous is None
    )
    first = await webhook_secrets.account_secret(owner.id)
    second = await webhook_secrets.rotate_account_secret(owner.id)
    assert webhook_secrets.signing_secrets(second).valid == [second.secret, first.secret]
    third = await webhook_secrets.rotate_account_secret(owner.id, overlap_s=0)
    assert webhook_secrets.signing_secrets(third).valid == [third.secret]
    assert len({endpoint.secret, rotated.secret, first.secret, second.secret, third.secret}) == 5


async def test_an_account_has_one_secret_though_several_make_it_at_once(database: Engine) -> None:
    owner = await an_owner()
    found = await asyncio.gather(*(webhook_secrets.account_secret(owner.id) for _ in range(8)))
    assert len({one.secret for one in found}) == 1


async def test_a_deleted_account_has_no_deliveries(database: Engine) -> None:
    owner, other = await an_owner(), await an_owner()
    for one in (owner, other):
        await an_endpoint(one)
        await webhook_secrets.account_secret(one.id)
        await a_delivery(one)
    await accounts.delete(owner)
    for table in (WebhookDelivery, WebhookEndpoint, WebhookSecret):
        assert [row["owner"] for row in await table.select()] == [other.id]
    assert [one.owner for one in await taken()] == [other.id]


async def test_what_ended_long_ago_is_purged(database: Engine) -> None:
    owner = await an_owner()
    old = now() - timedelta(days=31)
    await a_delivery(owner, status=DeliveryStatus.FAILED, finished_at=old, created_at=old)
    kept = [
        await a_delivery(owner, status=DeliveryStatus.DELIVERED, finished_at=now(), created_at=old),
        await a_delivery(owner, created_at=old),
    ]
    await webhook_dispatch.slow_target(1, until=old)
    assert await webhook_deliveries.purge() == 1
    assert {row.id for row in await WebhookDelivery.objects()} == {row.id for row in kept}
    assert await WebhookPace.count() == 0


async def test_a_delivery_under_way_is_not_sent_a_second_time_by_hand(database: Engine) -> None:
    owner = await an_owner()
    row = await a_delivery(owner)
    await taken()
    with pytest.raises(webhook_deliveries.DeliveryUnderWay):
        await webhook_deliveries.redeliver(owner.id, row.id)


async def test_a_describe_job_has_a_delivery_only_on_request(database: Engine) -> None:
    job = await a_queued_job(kind="describe")
    await WebhookEndpoint(owner=job.owner, url=URL, secret="whsec_", events='["job.failed"]').save()
    await fail(await claimed(job.id), Failure("image_truncated", "cut"))
    assert await events() == []
    assert await Image.count() == 1
