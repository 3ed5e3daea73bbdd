"""RabbitMQ, through aio-pika."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Self

import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from yarl import URL

from libs.broker.amqp import dead_message, declare_topology
from libs.broker.port import NO_HEADERS, Event, Handler
from libs.broker.publisher import Publisher
from libs.broker.rabbit_connection import Link, unavailable
from libs.broker.rabbit_consumer import Consumer
from libs.broker.subscription import CAPACITY, Subscription
from libs.broker.unreadable import accept_unreadable_properties
from libs.contracts.topology import DEAD, EVENTS, JOBS, OWN_PREFIX, Route
from libs.runtime.background import beside

_log = structlog.get_logger(__name__)


class RabbitBroker:
    """Implements `Broker` over three connections, each made again whenever it is lost.

    One publishes and one consumes, because a broker short of memory or disk stops reading from
    connections that publish, acknowledgements included. One replies: the address is a stranger's,
    and RabbitMQ closes the connection of who sends to a malformed `amq.rabbitmq.reply-to`. The last
    two are made on first use.
    """

    def __init__(
        self, url: str, *, declare: bool, heartbeat_s: int, timeout_s: float, reconnect_s: float
    ) -> None:
        self.user = URL(url).user or "guest"
        self._timeout_s = timeout_s
        self._out, self._in, self._back = (
            Link(
                url,
                declare_topology if declare else _declare_nothing,
                heartbeat_s=heartbeat_s,
                timeout_s=timeout_s,
                reconnect_s=reconnect_s,
            )
            for _ in range(3)
        )
        self._publisher = Publisher(self._out, timeout_s=timeout_s)
        self._dead_letters = Publisher(self._out, timeout_s=timeout_s)
        self._replies = Publisher(self._back, timeout_s=timeout_s)
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
        """Open a broker; one that cannot be reached is tried again in the background.

        Args:
            url: `amqp://user:password@host:port/vhost`, or `amqps://`.
            declare: Make exchanges and queues that are missing.
            heartbeat_s: A connection silent for a little over three times this is given up.
            timeout_s: How long any single call may take.
            reconnect_s: Pause between two attempts.
        """
        for name in ("aiormq", "aio_pika"):  # a traceback a disconnect; `Link` logs a line instead
            logging.getLogger(name).setLevel(logging.CRITICAL)
        accept_unreadable_properties()
        broker = cls(
            url, declare=declare, heartbeat_s=heartbeat_s, timeout_s=timeout_s, reconnect_s=reconnect_s
        )
        await broker._out.start()
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
        message = Message(body, content_type="application/json", correlation_id=correlation_id)
        await self._back.start()
        await self._replies.send("", to, message, mandatory=False)

    async def emit(self, key: str, body: bytes) -> None:
        await self._publisher.send(
            EVENTS, key, Message(body, content_type="application/json"), mandatory=False
        )

    @asynccontextmanager
    async def consume(self, route: Route, handler: Handler, *, concurrency: int) -> AsyncGenerator[None]:
        await self._in.start()
        consumer = Consumer(route, handler, self._put_aside, concurrency=concurrency)
        async with beside(self._in.hold(consumer.prepare), name=f"consume {route.queue}"):
            try:
                yield
            finally:
                await consumer.stop(timeout_s=self._timeout_s)

    @asynccontextmanager
    async def events(self, *patterns: str) -> AsyncGenerator[AsyncIterator[Event]]:
        subscription = Subscription(patterns)
        listening = asyncio.Event()

        async def take(message: AbstractIncomingMessage) -> None:
            subscription.put(Event(message.routing_key or "", message.body))

        async def prepare(channel: AbstractChannel) -> None:
            queue = await channel.declare_queue(
                exclusive=True, auto_delete=True, arguments={"x-max-length": CAPACITY}
            )
            for pattern in patterns:
                await queue.bind(EVENTS, pattern)
            await queue.consume(take, no_ack=True)
            listening.set()

        is_up = await self._in.start()
        self._subscriptions.add(subscription)
        try:
            async with beside(self._in.hold(prepare), name="listen to events"):
                if is_up:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(self._timeout_s):
                            await listening.wait()
                yield subscription
        finally:
            self._subscriptions.discard(subscription)

    async def ping(self) -> None:
        channel = await self._out.channel(confirms=False)
        with unavailable():
            async with asyncio.timeout(self._timeout_s):
                await channel.close()

    async def close(self) -> None:
        for subscription in self._subscriptions:
            subscription.put(None)
        for link in (self._in, self._back, self._out):
            await link.close()

    async def _put_aside(self, message: AbstractIncomingMessage, route: Route, reason: str) -> None:
        """Dead-letter by a copy that says why, or by the broker when the copy is not taken."""
        try:
            await self._dead_letters.send(
                DEAD, route.value, dead_message(message, route, reason), mandatory=True
            )
        except Exception as error:  # noqa: BLE001 - unsettled, it would hold its slot for ever
            _log.warning("dead_letter_without_reason", reason=reason, error=repr(error))
            await message.reject(requeue=False)
        else:
            await message.ack()


async def _declare_nothing(_: AbstractConnection) -> None:
    """What is there is only looked at."""
