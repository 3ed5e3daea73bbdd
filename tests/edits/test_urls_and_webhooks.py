"""Edits of fetched images, and the webhooks of edits."""

from pathlib import Path

from tests.edits.conftest import ON_ONE_EDIT_SITE, NewEditSite
from tests.edits.edit_requests import PROMPT, WAIT, edit, file, form, pixels, stored
from tests.support.photo_server import ALLOWED
from tests.support.webhook_receiver import receiving
from tests.webhooks.webhook_requests import account_secret


async def test_an_image_is_fetched_and_edited_and_its_edit_sends_a_webhook(
    new_edit_site: NewEditSite, photo: Path
) -> None:
    async with receiving() as receiver:
        edit_site = await new_edit_site(FETCH_PORTS=str(receiver.port), FETCH_ALLOW_NETWORKS=ALLOWED)
        client, source = edit_site.client, receiver.url("/photo.jpg")
        receiver.files["/photo.jpg"] = photo.read_bytes()
        request = {"image_url": source, "prompt": PROMPT, "webhook_url": receiver.url("/fetched")}
        answer = await client.post("/api/images", json=request, headers=WAIT)
        assert answer.status == 201, answer
        assert answer.json["source_url"] == source
        assert answer.json["result"]["parent"] == answer.json["id"]
        (sent,) = edit_site.openai.calls
        assert sent.files["image"].picture.size == (640, 427)
        (delivery,) = await receiver.received("/fetched")
        event = delivery.verified(await account_secret(client))
        assert (event["type"], event["data"]["kind"]) == ("job.completed", "edit")
        assert event["data"]["result_id"] == answer.json["result"]["id"]


@ON_ONE_EDIT_SITE
async def test_every_request_for_an_edit_takes_a_webhook_address(
    new_edit_site: NewEditSite, photo: Path
) -> None:
    async with receiving() as receiver:
        edit_site = await new_edit_site(FETCH_PORTS=str(receiver.port), FETCH_ALLOW_NETWORKS=ALLOWED)
        client = edit_site.client
        image = await stored(client)
        answers = [
            await client.upload(photo, prompt=PROMPT, webhook_url=receiver.url("/upload")),
            await edit(client, image, wait=False, webhook_url=receiver.url("/json")),
            await client.post(
                f"/api/images/{image}/edit",
                data=form(prompt=PROMPT, webhook_url=receiver.url("/form")),
            ),
            await client.call(
                "PATCH",
                f"/api/images/{image}",
                data=form(image=file(pixels()), prompt=PROMPT, webhook_url=receiver.url("/replaced")),
            ),
            await client.post(
                "/api/images", json={"prompt": PROMPT, "webhook_url": receiver.url("/generated")}
            ),
        ]
        assert [one.status for one in answers] == [202] * 5
        for path in ("/upload", "/json", "/form", "/replaced", "/generated"):
            (delivery,) = await receiver.received(path)
            event = delivery.verified(await account_secret(client))
            assert (event["type"], event["data"]["kind"]) == ("job.completed", "edit")
