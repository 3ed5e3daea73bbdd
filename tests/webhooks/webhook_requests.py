"""Requests to the webhook API."""

from collections.abc import Callable
from typing import Any

from tests.support.client import Client
from tests.support.waiting import until

SMALL = [{"op": "resize", "width": 64}]


async def webhook(client: Client, url: str, *events: str) -> dict[str, Any]:
    """A new webhook, with its secret."""
    answer = await client.post("/api/webhooks", json={"url": url, **({"events": events} if events else {})})
    assert answer.status == 201, answer
    return answer.json


async def account_secret(client: Client) -> str:
    return (await client.get("/api/webhooks/secret")).json["secret"]


async def deliveries(client: Client, **wanted: str) -> list[dict[str, Any]]:
    answer = await client.get("/api/webhooks/deliveries", params={"limit": "100", **wanted})
    assert answer.status == 200, answer
    return answer.json


async def delivery(client: Client, delivery_id: str) -> dict[str, Any]:
    answer = await client.get(f"/api/webhooks/deliveries/{delivery_id}")
    assert answer.status == 200, answer
    return answer.json


async def until_delivery(
    client: Client, delivery_id: str, holds: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Wait until something holds of the delivery, and return it."""

    async def found() -> dict[str, Any]:
        shown = await delivery(client, delivery_id)
        return shown if holds(shown) else {}

    return await until(found)


async def finished(client: Client, delivery_id: str) -> dict[str, Any]:
    """The delivery, once it has been delivered or given up."""
    return await until_delivery(client, delivery_id, lambda one: one["finished_at"] is not None)


async def send_test_event(client: Client, webhook_id: str) -> str:
    """Request a test event; return the id of its delivery."""
    answer = await client.post(f"/api/webhooks/{webhook_id}/test")
    assert answer.status == 202, answer
    return answer.json["id"]


def codes(found: dict[str, Any]) -> list[int | None]:
    """The status codes of all attempts."""
    return [one["status_code"] for one in found["history"]]
