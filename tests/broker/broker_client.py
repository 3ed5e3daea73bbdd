"""A client of the broker: it sends with all properties, waits for replies and reads the dead letters."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol, cast

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from libs.backends import Backends
from libs.broker.memory import MemoryBroker
from libs.broker.port import BrokerMessage
from libs.contracts.topology import DEAD, JOBS, Route
from tests.support.waiting import WAIT_S


class BrokerClient(Protocol):
    async def send(self, route: Route, outgoing: BrokerMessage) -> None: ...

    async def next_dead(self) -> BrokerMessage: ...

    async def open_reply_queue(self) -> str: ...

    async def next_reply(self) -> BrokerMessage: ...


class MemoryBrokerClient:
    def __init__(self, broker: MemoryBroker, replies: asyncio.Queue[BrokerMessage]) -> None:
        self._broker = broker
        self._replies = replies

    async def send(self, route: Route, outgoing: BrokerMessage) -> None:
        await self._broker.send(route, outgoing)

    async def next_dead(self) -> BrokerMessage:
        async with asyncio.timeout(WAIT_S):
            while not self._broker.dead:
                await asyncio.sleep(0)
        return self._broker.dead.popleft()

    async def open_reply_queue(self) -> str:
        return "replies"

    async def next_reply(self) -> BrokerMessage:
        return await asyncio.wait_for(self._replies.get(), WAIT_S)


class RabbitBrokerClient:
    def __init__(self, channel: AbstractChannel) -> None:
        self._channel = channel
        self._dead: asyncio.Queue[BrokerMessage] = asyncio.Queue()
        self._replies: asyncio.Queue[BrokerMessage] = asyncio.Queue()

    async def send(self, route: Route, outgoing: BrokerMessage) -> None:
        message = aio_pika.Message(
            outgoing.body,
            headers=dict(outgoing.headers),
            reply_to=outgoing.reply_to,
            correlation_id=outgoing.correlation_id,
            message_id=outgoing.message_id,
            user_id=outgoing.user_id,
            content_type=outgoing.content_type,
        )
        exchange = await self._channel.get_exchange(JOBS, ensure=False)
        await exchange.publish(message, route.value)

    async def read_dead(self) -> None:
        queue = await self._channel.get_queue(DEAD)
        await queue.consume(QueueingConsumer(self._dead), no_ack=True)

    async def next_dead(self) -> BrokerMessage:
        return await asyncio.wait_for(self._dead.get(), WAIT_S)

    async def open_reply_queue(self) -> str:
        queue = await self._channel.declare_queue(exclusive=True)
        await queue.consume(QueueingConsumer(self._replies), no_ack=True)
        return queue.name

    async def next_reply(self) -> BrokerMessage:
        return await asyncio.wait_for(self._replies.get(), WAIT_S)


class QueueingConsumer:
    """A consumer that puts each message into a queue."""

    def __init__(self, queue: asyncio.Queue[BrokerMessage]) -> None:
        self._queue = queue

    async def __call__(self, message: AbstractIncomingMessage) -> None:
        headers = {name: str(value) for name, value in message.headers.items()}
        self._queue.put_nowait(
            BrokerMessage(
                body=message.body,
                headers=headers,
                reply_to=message.reply_to,
                correlation_id=message.correlation_id,
                message_id=message.message_id,
                user_id=message.user_id,
                content_type=message.content_type,
            )
        )


@asynccontextmanager
async def memory_broker_client(broker: MemoryBroker) -> AsyncGenerator[BrokerClient]:
    async with broker.replies("replies") as replies:
        yield MemoryBrokerClient(broker, replies)


@asynccontextmanager
async def rabbit_broker_client(url: str) -> AsyncGenerator[BrokerClient]:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        broker_client = RabbitBrokerClient(channel)
        await broker_client.read_dead()
        yield broker_client


@asynccontextmanager
async def broker_client_of(backends: Backends) -> AsyncGenerator[BrokerClient]:
    """Open a client of the broker that these backends use."""
    if backends.settings.embedded:
        opened = memory_broker_client(cast("MemoryBroker", backends.broker))
    else:
        opened = rabbit_broker_client(backends.settings.broker_url)
    async with opened as client:
        yield client
