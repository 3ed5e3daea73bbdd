"""Webhooks of all accounts as operators see them."""

from typing import Any
from uuid import uuid4

from tests.support.client import Client
from tests.support.site_contents import refused
from tests.support.waiting import until
from tests.support.webhook_receiver import PlannedResponse, Receiver
from tests.webhooks.webhook_requests import send_test_event, webhook


async def only_webhook(operator: Client, owner: str) -> dict[str, Any]:
    [found] = (await operator.get(f"/api/operator/webhooks?owner={owner}")).json
    return found


async def test_a_webhook_of_any_account_is_found_with_its_last_success_and_failure(
    client: Client, operator: Client, receiver: Receiver
) -> None:
    path = f"/{client.username}"
    receiver.plans[path] = [PlannedResponse(204), PlannedResponse(410)]
    hook = await webhook(client, receiver.url(path))
    shown = await only_webhook(operator, client.username)
    assert "secret" not in shown
    assert (shown["id"], shown["owner"], shown["url"]) == (hook["id"], client.username, receiver.url(path))
    assert (shown["last_delivered_at"], shown["last_failed_at"], shown["waiting"]) == (None, None, 0)

    async def has(name: str) -> bool:
        return bool((await only_webhook(operator, client.username))[name])

    await send_test_event(client, hook["id"])
    await until(lambda: has("last_delivered_at"))
    assert not await has("last_error")
    await send_test_event(client, hook["id"])
    await until(lambda: has("last_failed_at"))
    shown = await only_webhook(operator, client.username)
    assert shown["last_failed_at"] > shown["last_delivered_at"]
    assert "410" in shown["last_error"]
    assert (shown["active"], shown["disabled_reason"]) == (False, "gone")
    active = await operator.get(f"/api/operator/webhooks?owner={client.username}&active=true")
    assert (active.json, active.headers["X-Total-Count"]) == ([], "0")
    sent = await operator.get(f"/api/operator/deliveries?webhook={hook['id']}")
    assert [one["status"] for one in sent.json] == ["failed", "delivered"]
    assert (await operator.get(f"/api/operator/deliveries?webhook={uuid4()}")).json == []


async def test_an_operator_disables_a_webhook_whose_deliveries_then_fail_and_enables_it(
    client: Client, operator: Client, receiver: Receiver
) -> None:
    path = f"/{client.username}"
    receiver.always[path] = PlannedResponse(503)
    hook = await webhook(client, receiver.url(path))
    address = f"/api/operator/webhooks/{hook['id']}"
    await send_test_event(client, hook["id"])

    async def waits_again() -> dict[str, Any]:
        shown = await only_webhook(operator, client.username)
        return shown if shown["last_error"] and shown["waiting"] else {}

    shown = await until(waits_again)
    assert (shown["waiting"], shown["last_failed_at"]) == (1, None)
    assert "503" in shown["last_error"]

    disabled = (await operator.call("PATCH", address, json={"active": False})).json
    assert (disabled["active"], disabled["disabled_reason"], disabled["waiting"]) == (False, "by_operator", 0)
    assert disabled["last_failed_at"]
    own = (await client.get(f"/api/webhooks/{hook['id']}")).json
    assert (own["active"], own["disabled_reason"]) == (False, "by_operator")
    refused(await client.post(f"/api/webhooks/{hook['id']}/test"), 409, "webhook_disabled")
    enabled = (await operator.call("PATCH", address, json={"active": True})).json
    assert (enabled["active"], enabled["disabled_reason"]) == (True, None)
    refused(await operator.call("PATCH", address, json={"active": "no"}), 400, "invalid_request")
    refused(
        await operator.call("PATCH", f"/api/operator/webhooks/{uuid4()}", json={"active": True}),
        404,
        "webhook_not_found",
    )
    entries = (await operator.get(f"/api/operator/audit?about={hook['id']}")).json
    assert [(entry["username"], entry["action"], entry["detail"]) for entry in entries] == [
        (operator.username, "webhook.change", f"{done} {hook['url']} of {client.username}")
        for done in ("enabled", "disabled")
    ]
