"""Webhook events of images: fetched, and expired."""

from pathlib import Path

import pytest

from tests.support.client import Client
from tests.support.shared_sites import BOTH, signed_in
from tests.support.site import Kind
from tests.support.url_images import create
from tests.support.webhook_receiver import Receiver, open_webhook_site
from tests.webhooks.webhook_requests import SMALL, account_secret, deliveries, finished, webhook


async def test_the_job_of_a_fetched_image_sends_a_webhook(
    client: Client, receiver: Receiver, photo: Path
) -> None:
    path, source = f"/{client.username}/fetched", f"/{client.username}/photo.jpg"
    receiver.files[source] = photo.read_bytes()
    answer = await create(client, receiver.url(source), wait_s=None, webhook_url=receiver.url(path))
    job = await client.job_done(answer.json["id"])
    event = (await receiver.received(path))[0].verified(await account_secret(client))
    assert (event["type"], event["data"]["kind"]) == ("job.completed", "ingest")
    assert (event["data"]["job_id"], event["data"]["result"]["id"]) == (
        job["id"],
        job["result_id"],
    )


async def test_a_fetched_and_transformed_image_sends_one_webhook_when_all_is_done(
    client: Client, receiver: Receiver, photo: Path
) -> None:
    path, hook = f"/{client.username}/own", f"/{client.username}/hook"
    source = f"/{client.username}/photo.jpg"
    receiver.files[source] = photo.read_bytes()
    await webhook(client, receiver.url(hook), "job.completed")
    answer = await create(
        client, receiver.url(source), wait_s=None, operations=SMALL, webhook_url=receiver.url(path)
    )
    ingest = await client.job_done(answer.json["id"])
    came = (await receiver.received(path))[0]
    event = came.verified(await account_secret(client))
    assert (event["data"]["kind"], event["data"]["image_id"]) == (
        "transform",
        ingest["image_id"],
    )
    assert event["data"]["result"]["width"] == 64
    assert event["data"]["request_id"] == answer.headers["X-Request-Id"]
    kinds = [one.content["data"]["kind"] for one in await receiver.received(hook, 2)]
    assert sorted(kinds) == ["ingest", "transform"]
    await finished(client, came.id)
    assert len(receiver.at(path)) == 1


async def test_an_image_that_cannot_be_fetched_sends_a_webhook(client: Client, receiver: Receiver) -> None:
    path, source = f"/{client.username}/own", f"/{client.username}/text.jpg"
    receiver.files[source] = b"this is no image"
    await create(client, receiver.url(source), wait_s=None, operations=SMALL, webhook_url=receiver.url(path))
    event = (await receiver.received(path))[0].verified(await account_secret(client))
    assert (event["type"], event["data"]["kind"]) == ("job.failed", "ingest")
    assert event["data"]["error_code"] == "url_not_an_image"
    assert len(await deliveries(client)) == 1


@pytest.mark.parametrize("kind", BOTH)
async def test_an_expired_image_sends_one_event_to_every_webhook(
    kind: Kind, tmp_path: Path, photo: Path
) -> None:
    async with (
        open_webhook_site(kind, tmp_path / "site", EXPIRE_DOWNLOADED_S="0.5") as (site, receiver),
        signed_in(site) as client,
        signed_in(site) as other_client,
    ):
        made = await webhook(client, receiver.url("/hook"), "image.expired")
        await webhook(other_client, receiver.url("/stranger"), "image.expired")
        deleted = (await client.upload(photo, SMALL, wait_s=60)).json
        for one in (deleted["id"], deleted["result"]["id"]):
            assert (await client.call("DELETE", f"/api/images/{one}")).status == 200
        image = (await client.upload(photo, SMALL, wait_s=60)).json
        ids = {image["id"], image["result"]["id"]}
        assert (await client.get(f"/api/images/{image['id']}/download")).status == 200
        for one in ids:
            await client.until_gone(one)
        came = await receiver.received("/hook", 2)
        events = [one.verified(made["secret"]) for one in came]
        assert {one["type"] for one in events} == {"image.expired"}
        assert {one["data"]["id"] for one in events} == ids
        assert {one["data"]["md5"] for one in events} == {image["md5"], image["result"]["md5"]}
        for one in came:
            await finished(client, one.id)
        assert len(await deliveries(client)) == len(receiver.requests) == 2
