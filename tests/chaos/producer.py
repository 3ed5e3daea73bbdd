"""A program outside Darkroom that sends orders with pika, and reads the replies from a durable queue."""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pika
from msgspec import Struct
from pika.adapters.blocking_connection import BlockingChannel
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import AMQPError

from libs.contracts.topology import JOBS, Route

TIMEOUT_S = 5.0

logging.getLogger("pika").setLevel(logging.CRITICAL)  # it reports every refused connection as an error


class Order(Struct, frozen=True):
    """An order; under its name it runs once."""

    name: str
    body: dict[str, Any]


class Producer:
    """Opens a connection for each order: nothing of it depends on what happened before."""

    def __init__(self, url: str, user: str) -> None:
        self.reply_queue = f"replies-{uuid4().hex}"
        self.replies: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)  # by the name of their order
        self._user = user
        self._parameters = pika.URLParameters(url)
        self._parameters.socket_timeout = TIMEOUT_S
        self._parameters.stack_timeout = TIMEOUT_S
        self._parameters.blocked_connection_timeout = TIMEOUT_S

    async def declare_replies(self) -> None:
        await asyncio.to_thread(self._declare_replies)

    async def send(self, order: Order) -> str:
        """Publish the order; return "confirmed", or "unconfirmed" where its fate is unknown."""
        return await asyncio.to_thread(self._send, order)

    async def read_replies(self) -> None:
        """Move all replies that are in the queue now to `replies`."""
        await asyncio.to_thread(self._read_replies)

    def _declare_replies(self) -> None:
        with self._channel() as channel:
            channel.queue_declare(self.reply_queue, durable=True)

    def _send(self, order: Order) -> str:
        properties = pika.BasicProperties(
            user_id=self._user,
            message_id=order.name,
            correlation_id=order.name,
            reply_to=self.reply_queue,
            content_type="application/json",
            delivery_mode=2,
        )
        try:
            with self._channel() as channel:
                channel.confirm_delivery()
                channel.basic_publish(
                    JOBS, Route.TRANSFORM.value, json.dumps(order.body).encode(), properties
                )
        except (AMQPError, AMQPConnectorException, OSError):
            return "unconfirmed"
        return "confirmed"

    def _read_replies(self) -> None:
        with self._channel() as channel:
            while True:
                method, properties, body = channel.basic_get(self.reply_queue, auto_ack=True)
                if method is None or properties is None or body is None:
                    return
                self.replies[properties.correlation_id or ""].append(json.loads(body))

    @contextmanager
    def _channel(self) -> Generator[BlockingChannel]:
        connection = pika.BlockingConnection(self._parameters)
        try:
            yield connection.channel()
        finally:
            if connection.is_open:
                connection.close()
