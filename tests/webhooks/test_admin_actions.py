"""What operators do with webhook deliveries on the admin pages."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.support.admin_client import AdminClient, open_admin_client
from tests.support.client import PASSWORD, Client
from tests.support.site import Site
from tests.support.webhook_receiver import PlannedResponse, Receiver
from tests.webhooks.webhook_requests import delivery, finished, send_test_event, webhook


@pytest.fixture
async def operator(site: Site) -> AsyncIterator[AdminClient]:
    """An operator who has logged in."""
    name = f"admin-{uuid4().hex[:8]}"
    await site.run("create-admin", "--username", name, "--password", PASSWORD)
    async with open_admin_client(site) as browser:
        assert await browser.log_in(name) == 200
        yield browser


async def test_a_failed_delivery_is_sent_again(
    operator: AdminClient, client: Client, receiver: Receiver
) -> None:
    path = f"/{uuid4()}"
    endpoint = await webhook(client, receiver.url(path))
    receiver.always[path] = PlannedResponse(500)
    delivery_id = await send_test_event(client, endpoint["id"])
    assert (await finished(client, delivery_id))["status"] == "failed"
    [shown] = await operator.rows("webhook_delivery", id=delivery_id)
    assert shown["status"] == "failed"

    receiver.always[path] = PlannedResponse(200)
    answer = await operator.call("POST", f"admin-api/deliveries/{delivery_id}/redeliver/")
    assert (answer.status, answer.json["id"]) == (200, delivery_id)
    assert (await finished(client, delivery_id))["status"] == "delivered"
    assert receiver.at(path)[-1].id == delivery_id

    assert (await operator.call("POST", f"admin-api/deliveries/{uuid4()}/redeliver/")).status == 404
    row = f"api/tables/webhook_endpoint/{endpoint['id']}/"
    off = await operator.call("PATCH", row, json={"active": False})
    assert off.status == 200
    refused = await operator.call("POST", f"admin-api/deliveries/{delivery_id}/redeliver/")
    assert (refused.status, refused.json["code"]) == (409, "webhook_disabled")


async def test_a_webhook_is_changed_by_its_own_rules_and_its_secret_never_shown(
    operator: AdminClient, client: Client, receiver: Receiver
) -> None:
    endpoint = await webhook(client, receiver.url(f"/{uuid4()}"))
    shown = await operator.get(f"api/tables/webhook_endpoint/{endpoint['id']}/")
    assert shown.status == 200
    assert endpoint["secret"].encode() not in shown.body
    elsewhere = receiver.url(f"/{uuid4()}")
    form = {"url": elsewhere, "events": json.dumps(["job.failed"]), "secret": "", "active": True}
    row = f"api/tables/webhook_endpoint/{endpoint['id']}/"
    changed = await operator.call("PATCH", row, json=form)
    assert changed.status == 200, changed
    assert endpoint["secret"].encode() not in changed.body
    seen = (await client.get(f"/api/webhooks/{endpoint['id']}")).json
    assert (seen["url"], seen["events"]) == (elsewhere, ["job.failed"])
    delivery_id = await send_test_event(client, endpoint["id"])
    await finished(client, delivery_id)
    [request] = receiver.at(elsewhere.removeprefix(receiver.url("")))
    request.verified(endpoint["secret"])  # it is still the one that its owner knows

    for wrong in ({"url": "http://127.0.0.1/"}, {"events": '["no.such.event"]'}, {"events": "["}):
        assert (await operator.call("PATCH", row, json=wrong)).status in (400, 422), wrong
    assert (await delivery(client, delivery_id))["status"] == "delivered"
    assert (await operator.call("PUT", row, json=form)).status == 405
