"""Dead letters, items that are set aside, and the consistency report."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from libs.broker.open import open_broker
from libs.contracts.topology import Route
from libs.settings import load_settings
from tests.support.client import Client
from tests.support.site import Site
from tests.support.site_contents import refused
from tests.support.waiting import WAIT_S, until

LETTERS = "/api/operator/dead-letters"
ON_SERVICES = [pytest.param("services", marks=pytest.mark.services)]


async def report(operator: Client) -> list[tuple[str, dict[str, Any]]]:
    """The events of a consistency report, to its end."""
    events: list[tuple[str, dict[str, Any]]] = []
    headers = {"Authorization": f"Bearer {operator.token}"}
    url = f"{operator.site.url}/api/operator/consistency"
    async with asyncio.timeout(WAIT_S), operator.session.get(url, headers=headers) as stream:
        assert stream.status == 200, await stream.text()
        name = ""
        async for line in stream.content:
            if line.startswith(b"event:"):
                name = line[6:].decode().strip()
            if line.startswith(b"data:"):
                events.append((name, json.loads(line[5:])))
    return events


async def test_the_consistency_report_counts_what_agrees_and_names_what_does_not(
    client: Client, operator: Client, photo: Path
) -> None:
    await client.upload(photo)
    *_, (name, progress) = await report(operator)
    assert (name, progress["done"], progress["error"]) == ("progress", True, None)
    assert progress["objects"] >= 1
    assert progress["rows"] >= 1
    assert progress["findings"] == len([name for name, _ in await report(operator) if name == "finding"])


@pytest.mark.parametrize("shared_site", ON_SERVICES, indirect=True)
async def test_a_dead_letter_stays_however_often_it_is_read_until_it_is_submitted_or_deleted(
    site: Site, client: Client, operator: Client, photo: Path
) -> None:
    order = {
        "type": "transform.v1",
        "owner": client.username,
        "source": {"image_id": str(uuid4())},
        "operations": [{"op": "grayscale"}],
    }
    lost, useless = f"lost-{uuid4().hex}", f"useless-{uuid4().hex}"
    broker = await open_broker(load_settings(site.environment).broker_url, declare=False)
    try:
        for message_id, body in ((lost, json.dumps(order).encode()), (useless, b"no order")):
            await broker.publish(Route.TRANSFORM, body, message_id=message_id)
    finally:
        await broker.close()

    async def listed() -> dict[str, str]:
        return {one["message_id"]: one["id"] for one in (await operator.get(LETTERS)).json}

    async def both() -> bool:
        return {lost, useless} <= (await listed()).keys()

    await until(both)
    for _ in range(25):  # more often than the broker would return a message to other queues
        assert {lost, useless} <= (await listed()).keys()
    ids = await listed()
    shown = (await operator.get(f"{LETTERS}/{ids[useless]}")).json
    assert (shown["body"], shown["route"]) == ("no order", "transform")
    refused(await operator.post(f"{LETTERS}/{ids[useless]}/requeue"), 409, "dead_letter_refused")
    assert (await operator.call("DELETE", f"{LETTERS}/{ids[useless]}")).status == 204
    refused(await operator.get(f"{LETTERS}/{ids[useless]}"), 404, "dead_letter_not_found")
    assert useless not in await listed()


async def test_an_unknown_item_is_not_tried_again(operator: Client) -> None:
    assert (await operator.get("/api/operator/recovery")).json == []
    refused(await operator.post(f"/api/operator/recovery/{uuid4()}/retry"), 404, "set_aside_not_found")
