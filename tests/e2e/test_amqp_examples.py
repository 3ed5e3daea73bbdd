"""The examples of docs/amqp.md, run as they stand."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image
from yarl import URL

from infra.local import tools
from libs.contracts.commands import BadMessage
from libs.orders.errors import OrderError
from tests.orders.producer import BROKER_USER, data_url
from tests.support.backends import put_object
from tests.support.client import Client
from tests.support.services import service_url
from tests.support.shared_sites import signed_in
from tests.support.site import running_site
from tests.support.waiting import WAIT_S

DOCS = Path(__file__).parents[2] / "docs"

services = pytest.mark.services


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    directory = tmp_path_factory.mktemp("examples")
    async with (
        running_site("services", directory, AMQP_TRUSTED_USERS=BROKER_USER) as site,
        signed_in(site) as client,
    ):
        yield client


async def run(client: Client, *command: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "OWNER": client.username, **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, errors = await asyncio.wait_for(process.communicate(), WAIT_S)
    assert process.returncode == 0, errors.decode()
    return out.decode()


async def result_of(image: str, client: Client) -> dict[str, Any]:
    async with asyncio.timeout(WAIT_S):
        while not (results := (await client.get("/api/images", params={"parent": image})).json):
            await asyncio.sleep(0.05)
    return results[0]


@services
async def test_a_thumbnail_of_a_url_with_aio_pika(client: Client, tmp_path: Path) -> None:
    Image.linear_gradient("L").resize((400, 300)).save(tmp_path / "small.png")
    script = str(DOCS / "examples/order_aio_pika.py")
    url = client.site.settings["BROKER_URL"]
    answer = json.loads(
        await run(client, sys.executable, script, data_url(tmp_path / "small.png"), AMQP_URL=url)
    )
    image = (await client.get(f"/api/images/{answer['image_id']}")).json
    assert (answer["status"], image["format"], image["width"]) == ("completed", "webp", 200)
    assert (await client.get(answer["link"], token="")).status == 200


@services
async def test_a_file_of_the_inbox_with_pika(client: Client, photo: Path, tmp_path: Path) -> None:
    key = f"inbox/{client.username}/rocket.jpg"
    await put_object(client.site.settings["OBJECTS_URL"], key, photo, tmp_path)
    script, url = str(DOCS / "examples/order_pika.py"), client.site.settings["BROKER_URL"]
    answer = json.loads(await run(client, sys.executable, script, key, AMQP_URL=url))
    image = (await client.get(f"/api/images/{answer['image_id']}")).json
    assert (answer["status"], image["filename"]) == ("completed", "rocket.jpg")


@services
async def test_a_stored_image_with_curl(client: Client, photo: Path) -> None:
    image = (await client.upload(photo)).json["id"]
    said = await run(
        client, "sh", str(DOCS / "examples/order.sh"),
        RABBITMQ=service_url("RABBITMQ_MANAGEMENT"), IMAGE=image,
        VHOST=URL(client.site.settings["BROKER_URL"]).path.strip("/"),
    )  # fmt: skip
    assert json.loads(said) == {"routed": True}
    assert (await result_of(image, client))["width"] == 200


@services
async def test_a_stored_image_with_amqp_publish_by_a_sender_of_its_own(client: Client, photo: Path) -> None:
    url, management = URL(client.site.settings["BROKER_URL"]), URL(service_url("RABBITMQ_MANAGEMENT"))
    image = (await client.upload(photo)).json["id"]
    name, vhost = client.username, url.path.strip("/")
    make, order = (str(DOCS / "examples" / script) for script in ("add_producer.sh", "order_amqp_publish.sh"))
    assert tools.AMQP_PUBLISH.find(), tools.AMQP_PUBLISH.advice
    await run(client, "sh", make, name, RABBITMQ=str(management), VHOST=vhost, PASSWORD="of-a-producer")
    try:
        own = str(url.with_user(name).with_password("of-a-producer"))
        await run(client, "sh", order, image, AMQP_URL=own)
        assert (await result_of(image, client))["width"] == 200
    finally:
        async with aiohttp.ClientSession() as session:
            await session.delete(f"{management}/api/users/{name}")


def test_every_refusal_of_an_order_is_documented() -> None:
    documented = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", (DOCS / "amqp.md").read_text(), re.MULTILINE))
    kinds = [*OrderError.__subclasses__(), BadMessage]
    assert {kind.code for kind in kinds} == {code for code in documented if "_" in code} - {"job_id"}
    for kind in OrderError.__subclasses__():
        assert documented[kind.code].startswith((kind.__doc__ or "").rstrip(".")), kind
