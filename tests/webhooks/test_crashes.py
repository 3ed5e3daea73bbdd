"""Webhook events when processes are killed, and when several send: none is lost."""

import asyncio
from pathlib import Path

import pytest

from libs.broker.rabbit import RabbitBroker
from tests.support.client import Client
from tests.support.shared_sites import BOTH, signed_in
from tests.support.site import Kind, Site
from tests.support.site_jobs import working_app
from tests.support.webhook_receiver import HOLD, PlannedResponse, Receiver, open_webhook_site
from tests.webhooks.webhook_requests import (
    SMALL,
    account_secret,
    codes,
    deliveries,
    finished,
    send_test_event,
    until_delivery,
    webhook,
)


def sending_app(site: Site) -> str:
    return "serve" if site.kind == "embedded" else "scheduler"


async def submitted_job(client: Client, photo: Path, receiver: Receiver) -> str:
    """Start a job that sends a webhook to `/own`; return its id."""
    answer = await client.upload(photo, SMALL, webhook_url=receiver.url("/own"))
    assert answer.status == 202, answer
    return answer.json["job_id"]


@pytest.mark.services
async def test_a_delivery_survives_worker_and_scheduler_killed_before_it_is_sent(
    tmp_path: Path, photo: Path
) -> None:
    async with (
        open_webhook_site("services", tmp_path / "site") as (site, receiver),
        signed_in(site) as client,
    ):
        await site.kill("scheduler")
        job = await client.job_done(await submitted_job(client, photo, receiver))
        await site.kill("worker")
        waiting = (await deliveries(client))[0]
        assert (waiting["status"], waiting["attempts"], waiting["subject"]) == ("pending", 0, job["id"])
        assert receiver.requests == []
        await site.start("scheduler")
        came = (await receiver.received("/own"))[0]
        assert came.verified(await account_secret(client))["data"]["job_id"] == job["id"]
        found = await finished(client, waiting["id"])
        assert (found["status"], found["attempts"], len(receiver.requests)) == ("delivered", 1, 1)
        await site.start("worker")


@pytest.mark.parametrize("kind", BOTH)
async def test_a_delivery_whose_sender_is_killed_before_the_response_is_sent_again(
    kind: Kind, tmp_path: Path, photo: Path
) -> None:
    async with open_webhook_site(kind, tmp_path / "site") as (site, receiver), signed_in(site) as client:
        receiver.plans["/own"] = [HOLD]
        await submitted_job(client, photo, receiver)
        await receiver.received("/own")
        await site.kill(sending_app(site))
        await site.start(sending_app(site))
        await site.ready()
        first, second = (await receiver.received("/own", 2))[:2]
        assert (first.id, first.body) == (second.id, second.body)
        found = await finished(client, first.id)
        assert (found["status"], codes(found)[-1]) == ("delivered", 200)
        assert found["attempts"] >= 2


@pytest.mark.parametrize("kind", ["embedded"])
async def test_a_refused_delivery_is_tried_again_by_the_next_process(
    kind: Kind, tmp_path: Path, photo: Path
) -> None:
    async with (
        open_webhook_site(kind, tmp_path / "site", WEBHOOK_SCHEDULE_S="0,1,1") as (site, receiver),
        signed_in(site) as client,
    ):
        receiver.plans["/own"] = [PlannedResponse(500)]
        await submitted_job(client, photo, receiver)
        refused = (await receiver.received("/own"))[0]
        await until_delivery(client, refused.id, lambda one: codes(one) == [500])
        await site.kill(sending_app(site))
        await site.start(sending_app(site))
        await site.ready()
        found = await finished(client, refused.id)
        assert (found["status"], codes(found)) == ("delivered", [500, 200])
        assert {one.id for one in receiver.requests} == {refused.id}


@pytest.mark.parametrize("kind", BOTH)
async def test_every_job_has_one_delivery_whatever_is_killed(kind: Kind, tmp_path: Path, photo: Path) -> None:
    async with (
        open_webhook_site(kind, tmp_path / "site", JOB_LEASE_S="3", MAX_ATTEMPTS="20") as (site, receiver),
        signed_in(site) as client,
    ):
        ids = [await submitted_job(client, photo, receiver) for _ in range(12)]
        for count in (1, 4, 7):
            await receiver.received("/own", count)
            for name in {working_app(site), sending_app(site)}:
                await site.kill(name)
            for name in {working_app(site), sending_app(site)}:
                await site.start(name)
            await site.ready()
        jobs = [await client.job_done(job_id) for job_id in ids]
        assert {job["status"] for job in jobs} == {"completed"}
        made = await deliveries(client)
        assert sorted(one["subject"] for one in made) == sorted(ids)
        for one in made:
            assert (await finished(client, one["id"]))["status"] == "delivered"
        assert {one.id for one in receiver.requests} == {one["id"] for one in made}


def logs_of_both(site: Site) -> list[str]:
    return [site.log_of(name).read_text() for name in ("scheduler", "scheduler-2")]


def both_delivered(site: Site) -> bool:
    return all("webhook_delivered" in text for text in logs_of_both(site))


@pytest.mark.services
async def test_two_schedulers_send_each_delivery_once(tmp_path: Path) -> None:
    settings = {"TICK_S": "0.05", "WEBHOOK_TIMEOUT_S": "60"}
    async with open_webhook_site("services", tmp_path / "site", **settings) as (site, receiver):
        await site.start("scheduler", called="scheduler-2")
        await site.logged("scheduler-2", "scheduler_started")
        async with signed_in(site) as client:
            hooks = [(await webhook(client, receiver.url(f"/{n}")))["id"] for n in range(8)]
            broker = await RabbitBroker.connect(site.settings["BROKER_URL"])
            try:
                ids: list[str] = []
                while len(ids) < 64 or not both_delivered(site):
                    ids += await asyncio.gather(*(send_test_event(client, hook) for hook in hooks))
                    await broker.emit("job.completed", b"")  # both look at the same moment
            finally:
                await broker.close()
            for one in ids:
                found = await finished(client, one)
                assert (found["status"], found["attempts"]) == ("delivered", 1)
            assert sorted(one.id for one in receiver.requests) == sorted(ids)
        assert not any('"level": "error"' in text or "step_failed" in text for text in logs_of_both(site))


@pytest.mark.parametrize("kind", ["embedded"])
async def test_a_slow_receiver_holds_up_no_other(kind: Kind, tmp_path: Path) -> None:
    async with (
        open_webhook_site(kind, tmp_path / "site", WEBHOOK_TIMEOUT_S="60") as (site, receiver),
        signed_in(site) as client,
        signed_in(site) as neighbour,
    ):
        slow = await webhook(client, receiver.url("/slow"))
        fast = await webhook(client, receiver.url("/fast"))
        background_tasks = await webhook(neighbour, receiver.url("/beside"))
        receiver.always["/slow"] = HOLD
        for _ in range(10):
            await send_test_event(client, slow["id"])
        await receiver.received("/slow", 4)
        for _ in range(10):
            await send_test_event(client, fast["id"])
            await send_test_event(neighbour, background_tasks["id"])
        await receiver.received("/fast", 10)
        await receiver.received("/beside", 10)
        assert len(receiver.at("/slow")) == 4  # no more at once to one address
        under_way = await deliveries(client, webhook=slow["id"], status="sending")
        assert len(under_way) == 4
        receiver.released.set()
        await receiver.received("/slow", 10)
        for one in await deliveries(client):
            assert (await finished(client, one["id"]))["status"] == "delivered"


@pytest.mark.parametrize("kind", BOTH)
async def test_a_scheduler_that_stops_gives_back_what_is_under_way(kind: Kind, tmp_path: Path) -> None:
    async with open_webhook_site(kind, tmp_path / "site", WEBHOOK_TIMEOUT_S="60") as (site, receiver):
        async with signed_in(site) as client:
            made = await webhook(client, receiver.url("/slow"))
            receiver.plans["/slow"] = [HOLD]
            test_event = await send_test_event(client, made["id"])
            await receiver.received("/slow")
            await site.stop(sending_app(site))
            await site.start(sending_app(site))
            await site.ready()
            found = await finished(client, test_event)
            assert (found["status"], found["attempts"], codes(found)) == ("delivered", 2, [200])
        assert '"level": "error"' not in site.logs()
