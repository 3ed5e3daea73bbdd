"""The RabbitMQ implementation of `Broker`, over aio-pika."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Self

import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from yarl import URL

from libs.broker.event_subscription import CAPACITY, Subscription
from libs.broker.malformed_properties import tolerate_malformed_properties
from libs.broker.port import NO_HEADERS, Event, Handler
from libs.broker.rabbit_connection import ReconnectingConnection, mapped_errors
from libs.broker.rabbit_consumer import SYSTEM, Consumer
from libs.broker.rabbit_messages import to_dead_letter
from libs.broker.rabbit_publisher import Publisher
from libs.broker.rabbit_topology import declare_topology
from libs.contracts.topology import DEAD, EVENTS, JOBS, OWN_PREFIX, Route
from libs.runtime.background import supervised_loops

_log = structlog.get_logger(__name__)


class RabbitBroker:
    """An implementation of `Broker` over three connections, each reopened whenever it is lost.

    Publishing and consuming have a connection each, because a broker short of memory or disk stops reading
    from connections that publish, their acknowledgements included. Replies have the third: an outside
    producer chooses the queue, and RabbitMQ closes a connection that sends to a malformed
    `amq.rabbitmq.reply-to`. The last two are opened on first use.
    """

    system = SYSTEM

    def __init__(
        self, url: str, *, declare: bool, heartbeat_s: int, timeout_s: float, reconnect_s: float
    ) -> None:
        self.user = URL(url).user or "guest"
        self._timeout_s = timeout_s
        self._publishing, self._consuming, self._replying = (
            ReconnectingConnection(
                url,
                declare_topology if declare else _declare_nothing,
                heartbeat_s=heartbeat_s,
                timeout_s=timeout_s,
                reconnect_s=reconnect_s,
            )
            for _ in range(3)
        )
        self._publisher = Publisher(self._publishing, timeout_s=timeout_s)
        self._dead_letters = Publisher(self._publishing, timeout_s=timeout_s)
        self._replies = Publisher(self._replying, timeout_s=timeout_s)
        self._subscriptions: set[Subscription] = set()

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        declare: bool = True,
        heartbeat_s: int = 10,
        timeout_s: float = 5,
        reconnect_s: float = 0.5,
    ) -> Self:
        """Open a broker; one that cannot be reached is retried in the background.

        Args:
            url: `amqp://user:password@host:port/vhost`, or `amqps://`.
            declare: Declare exchanges and queues that are missing.
            heartbeat_s: A connection that is silent for a little over three times this counts as lost.
            timeout_s: Time limit of each call.
            reconnect_s: Pause between two attempts to connect.
        """
        for name in ("aiormq", "aio_pika"):  # they log a traceback a disconnect; we log one line
            logging.getLogger(name).setLevel(logging.CRITICAL)
        tolerate_malformed_properties()
        broker = cls(
            url, declare=declare, heartbeat_s=heartbeat_s, timeout_s=timeout_s, reconnect_s=reconnect_s
        )
        await broker._publishing.start()
        return broker

    async def publish(
        self, route: Route, body: bytes, *, message_id: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        message = Message(
            body,
            headers=dict(headers),
            content_type="application/json",
            delivery_mode=DeliveryMode.PERSISTENT,
            message_id=message_id,
            user_id=self.user,
        )
        await self._publisher.send(JOBS, route.value, message, mandatory=True)

    async def reply(self, to: str, body: bytes, *, correlation_id: str | None) -> None:
        if to.startswith(OWN_PREFIX):
            _log.warning("reply_refused", to=to)
            return
        message = Message(
            body,
            content_type="application/json",
            correlation_id=correlation_id,
            delivery_mode=DeliveryMode.PERSISTENT,  # a durable queue keeps it over a crash of the broker
        )
        await self._replying.start()
        await self._replies.send("", to, message, mandatory=False)

    async def emit(self, key: str, body: bytes) -> None:
        message = Message(body, content_type="application/json", delivery_mode=DeliveryMode.PERSISTENT)
        await self._publisher.send(EVENTS, key, message, mandatory=False)

    @asynccontextmanager
    async def consume(
        self, route: Route, handler: Handler, *, concurrency: int, drain_s: float = 0
    ) -> AsyncGenerator[None]:
        await self._consuming.start()
        consumer = Consumer(route, handler, self._dead_letter, concurrency=concurrency)
        async with supervised_loops(
            {f"consume {route.queue}": self._consuming.keep_channel(consumer.prepare)}
        ):
            try:
                yield
            finally:
                await consumer.stop(drain_s)

    @asynccontextmanager
    async def events(self, *patterns: str) -> AsyncGenerator[AsyncIterator[Event]]:
        subscription = Subscription(patterns)
        listening = asyncio.Event()

        async def receive(message: AbstractIncomingMessage) -> None:
            subscription.put(Event(message.routing_key or "", message.body))

        async def prepare(channel: AbstractChannel) -> None:
            queue = await channel.declare_queue(
                exclusive=True, auto_delete=True, arguments={"x-max-length": CAPACITY}
            )
            for pattern in patterns:
                await queue.bind(EVENTS, pattern)
            await queue.consume(receive, no_ack=True)
            listening.set()

        is_up = await self._consuming.start()
        self._subscriptions.add(subscription)
        try:
            async with supervised_loops({"listen to events": self._consuming.keep_channel(prepare)}):
                if is_up:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(self._timeout_s):
                            await listening.wait()
                yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def dead_letter_count(self) -> int:
        channel = await self._publishing.channel(confirms=False)
        with mapped_errors():
            async with asyncio.timeout(self._timeout_s), channel:
                queue = await channel.declare_queue(DEAD, passive=True)
                return queue.declaration_result.message_count or 0

    async def ping(self) -> None:
        channel = await self._publishing.channel(confirms=False)
        with mapped_errors():
            async with asyncio.timeout(self._timeout_s):
                await channel.close()

    async def close(self) -> None:
        for subscription in self._subscriptions:
            subscription.put(None)
        connections = (self._consuming, self._replying, self._publishing)
        await asyncio.gather(*(connection.close() for connection in connections))

    async def _dead_letter(self, message: AbstractIncomingMessage, route: Route, reason: str) -> None:
        """Dead-letter a copy with the reason; if that fails, let the broker dead-letter the message."""
        try:
            await self._dead_letters.send(
                DEAD, route.value, to_dead_letter(message, route, reason), mandatory=True
            )
        except Exception as error:  # noqa: BLE001 - an unsettled message would keep its slot forever
            _log.warning("dead_letter_without_reason", reason=reason, error=repr(error))
            await message.reject(requeue=False)
        else:
            await message.ack()


async def _declare_nothing(_: AbstractConnection) -> None:
    """Leave exchanges and queues as they are."""
