"""A producer of AMQP orders, which reads replies and dead letters."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from libs.backends import Backends
from libs.broker.port import BrokerMessage
from libs.contracts.topology import Route
from libs.storage.database.tables import Image
from tests.broker.broker_client import BrokerClient, broker_client_of

BROKER_USER = "guest"  # whom the test's connection belongs to
SMALL = [{"op": "resize", "width": 64}]


class Producer:
    """A program that sends orders."""

    def __init__(self, backends: Backends, broker_client: BrokerClient, reply_to: str) -> None:
        self.backends = backends
        self.broker_client = broker_client
        self.reply_to = reply_to

    async def send(
        self,
        body: dict[str, Any] | bytes,
        *,
        route: Route = Route.TRANSFORM,
        user_id: str | None = BROKER_USER,
        message_id: str | None = None,
        correlation_id: str | None = None,
        reply: bool = True,
    ) -> None:
        """Publish as `user_id`, asking for a reply."""
        message = BrokerMessage(
            body=body if isinstance(body, bytes) else json.dumps(body).encode(),
            user_id=user_id,
            message_id=message_id,
            reply_to=self.reply_to if reply else None,
            correlation_id=correlation_id,
            content_type="application/json",
        )
        await self.broker_client.send(route, message)

    async def reply(self) -> dict[str, Any]:
        """The next reply, with the correlation id that it came under."""
        reply = await self.broker_client.next_reply()
        return json.loads(reply.body) | {"correlation_id": reply.correlation_id}

    async def answered(self, body: dict[str, Any] | bytes, **options: Any) -> dict[str, Any]:
        """Publish, and wait for the reply."""
        mark = uuid4().hex
        await self.send(body, correlation_id=mark, **options)
        reply = await self.reply()
        assert reply.pop("correlation_id") == mark
        return reply

    async def refused(self, body: dict[str, Any] | bytes, **options: Any) -> str:
        """Publish an order that is refused; return the code, which dead letter and reply agree on."""
        reply = await self.answered(body, **options)
        dead = await self.broker_client.next_dead()
        assert (reply["type"], reply["status"]) == ("order.refused", "refused")
        assert dead.headers["x-error"].startswith(f"{reply['error_code']}: ")
        assert dead.body == (body if isinstance(body, bytes) else json.dumps(body).encode())
        return reply["error_code"]

    async def drop(self, key: str, photo: Path) -> None:
        """Put a file into the store, as an operator does at its console."""
        path = self.backends.scratch / uuid4().hex
        await asyncio.to_thread(path.write_bytes, photo.read_bytes())
        await self.backends.objects.put(key, path, content_type="image/jpeg", metadata={})


@asynccontextmanager
async def producer_for(backends: Backends) -> AsyncGenerator[Producer]:
    async with broker_client_of(backends) as broker_client:
        yield Producer(backends, broker_client, await broker_client.open_reply_queue())


def transform(owner: str, source: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "transform.v1", "owner": owner, "source": source, "operations": SMALL, **fields}


def ingest(owner: str, source: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": "ingest.v1", "owner": owner, "source": source, **fields}


def data_url(photo: Path) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(photo.read_bytes()).decode()}"


async def image_of(reply: dict[str, Any]) -> Image:
    """Return the image that a reply names."""
    assert reply["status"] == "completed", reply
    image = await Image.objects().where(Image.id == reply["image_id"]).first()
    assert image is not None
    assert image.object_key == reply["object_key"]
    return image
