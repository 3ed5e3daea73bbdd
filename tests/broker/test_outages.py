"""RabbitMQ going away and coming back."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, HeadersType

from libs.broker.errors import BrokerUnavailable, DeadLetter
from libs.broker.port import Broker, Delivery, Event
from libs.broker.rabbit import RabbitBroker
from libs.contracts.topology import DELIVERY_LIMIT, JOBS, Route
from tests.broker.inbox import Inbox
from tests.broker.node import Node
from tests.broker.outside import WAIT_S, outside_rabbit
from tests.broker.proxy import Proxy

pytestmark = pytest.mark.services

QUICK_S = 3


@asynccontextmanager
async def raw_channel(url: str) -> AsyncGenerator[AbstractChannel]:
    async with await aio_pika.connect(url) as connection, connection.channel() as channel:
        yield channel


@asynccontextmanager
async def opened(url: str, *, timeout_s: float = 5) -> AsyncGenerator[RabbitBroker]:
    broker = await RabbitBroker.connect(url, heartbeat_s=1, timeout_s=timeout_s, reconnect_s=0.1)
    try:
        yield broker
    finally:
        await broker.close()


async def published(broker: Broker, route: Route, body: bytes) -> None:
    """Publish as soon as it is possible."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                return await broker.publish(route, body, message_id=body.decode())
            except BrokerUnavailable:
                await asyncio.sleep(0.1)


async def heard(broker: Broker, events: asyncio.Task[Event]) -> Event:
    """Emit until a listener that has to come back hears it."""
    async with asyncio.timeout(WAIT_S):
        while not events.done():
            with suppress(BrokerUnavailable):
                await broker.emit("job.completed", b"again")
            await asyncio.wait([events], timeout=0.1)
    return events.result()


async def test_a_handler_outlives_the_broker_and_its_message_comes_again(node: Node) -> None:
    started, proceed, finished = asyncio.Event(), asyncio.Event(), Inbox()

    async def work(delivery: Delivery) -> None:
        started.set()
        await proceed.wait()
        await finished(delivery)

    async with (
        opened(node.url) as broker,
        broker.events("job.*") as events,
        broker.consume(Route.EDIT, work, concurrency=1),
    ):
        await broker.publish(Route.EDIT, b"first", message_id="1")
        await asyncio.wait_for(started.wait(), WAIT_S)
        await node.kill()
        async with asyncio.timeout(QUICK_S):
            with pytest.raises(BrokerUnavailable):
                await broker.publish(Route.EDIT, b"lost", message_id="2")
            with pytest.raises(BrokerUnavailable):
                await broker.ping()

        proceed.set()
        assert (await finished.next()).redelivered is False
        await node.start()
        again = await finished.next()
        assert (again.body, again.redelivered) == (b"first", True)

        await published(broker, Route.EDIT, b"second")
        assert (await finished.next()).body == b"second"
        event = await heard(broker, asyncio.ensure_future(anext(events)))
        assert event == Event("job.completed", b"again")


async def test_no_more_handlers_run_after_a_reconnect_than_before(node: Node) -> None:
    running = most = 0
    started, proceed, finished = asyncio.Event(), asyncio.Event(), Inbox()

    async def work(delivery: Delivery) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        started.set()
        await proceed.wait()
        running -= 1
        await finished(delivery)

    async with opened(node.url) as broker, broker.consume(Route.EDIT, work, concurrency=1):
        await broker.publish(Route.EDIT, b"1", message_id="1")
        await asyncio.wait_for(started.wait(), WAIT_S)
        await node.kill()
        await node.start()
        await published(broker, Route.EDIT, b"2")
        proceed.set()
        assert {(await finished.next()).body for _ in range(3)} == {b"1", b"2"}
    assert most == 1


async def test_a_published_message_outlives_the_broker(node: Node) -> None:
    async with opened(node.url) as broker:
        async with asyncio.TaskGroup() as group:
            for n in range(50):
                group.create_task(broker.publish(Route.INGEST, b"%d" % n, message_id=str(n)))
        await node.kill()
        await node.start()
        inbox = Inbox()
        async with broker.consume(Route.INGEST, inbox, concurrency=10):
            bodies = {(await inbox.next()).body for _ in range(50)}
    assert bodies == {b"%d" % n for n in range(50)}


async def test_a_broker_that_is_down_at_start_is_used_once_it_is_up(node: Node) -> None:
    await node.kill()
    inbox = Inbox()
    async with asyncio.timeout(QUICK_S):
        broker = await RabbitBroker.connect(node.url, reconnect_s=0.1)
    async with (
        broker.consume(Route.TRANSFORM, inbox, concurrency=1),
        broker.events("job.*") as events,
    ):
        with pytest.raises(BrokerUnavailable):
            await broker.publish(Route.TRANSFORM, b"early", message_id="1")
        await node.start()
        await published(broker, Route.TRANSFORM, b"late")
        assert (await inbox.next()).body == b"late"
        await heard(broker, asyncio.ensure_future(anext(events)))
    await broker.close()


async def test_leaving_during_an_outage_is_quick(node: Node) -> None:
    started = asyncio.Event()

    async def stay(_: Delivery) -> None:
        started.set()
        await asyncio.Event().wait()

    async with (
        asyncio.timeout(WAIT_S),
        opened(node.url) as broker,
        broker.events("#"),
        broker.consume(Route.TRANSFORM, stay, concurrency=1),
    ):
        await broker.publish(Route.TRANSFORM, b"", message_id="1")
        await started.wait()
        await node.kill()


async def test_a_silent_network_is_noticed(rabbit_url: str) -> None:
    inbox = Inbox()
    async with (
        Proxy.to(rabbit_url) as proxy,
        opened(proxy.url, timeout_s=1) as broker,
        broker.events("job.*") as events,
        broker.consume(Route.TRANSFORM, inbox, concurrency=1),
    ):
        proxy.swallow()
        async with asyncio.timeout(QUICK_S):
            with pytest.raises(BrokerUnavailable):
                await broker.publish(Route.TRANSFORM, b"into the void", message_id="1")
            with pytest.raises(BrokerUnavailable):
                await broker.ping()
        await published(broker, Route.TRANSFORM, b"after")  # over a connection made anew
        assert (await inbox.next()).body == b"after"
        await heard(broker, asyncio.ensure_future(anext(events)))


async def test_a_message_that_no_queue_takes_is_an_error(rabbit_url: str) -> None:
    async with opened(rabbit_url) as broker, raw_channel(rabbit_url) as channel:
        await channel.queue_delete(Route.EDIT.queue)
        with pytest.raises(BrokerUnavailable, match="NO_ROUTE"):
            await broker.publish(Route.EDIT, b"", message_id="1")
        await broker.publish(Route.INGEST, b"", message_id="2")


async def test_a_missing_exchange_is_an_error_until_it_is_back(rabbit_url: str) -> None:
    async with opened(rabbit_url) as broker, raw_channel(rabbit_url) as channel:
        await channel.exchange_delete(JOBS)
        with pytest.raises(BrokerUnavailable, match="no exchange"):
            await broker.publish(Route.EDIT, b"", message_id="1")
        async with opened(rabbit_url):  # declares it
            await broker.publish(Route.EDIT, b"", message_id="2")


async def test_a_deleted_queue_is_consumed_again_once_it_is_back(rabbit_url: str) -> None:
    inbox = Inbox()
    async with (
        opened(rabbit_url) as broker,
        raw_channel(rabbit_url) as channel,
        broker.consume(Route.EDIT, inbox, concurrency=1),
    ):
        await published(broker, Route.EDIT, b"before")
        await inbox.next()
        await channel.queue_delete(Route.EDIT.queue)
        await asyncio.sleep(1)  # a queue made again at once hides its deletion from its consumers
        async with opened(rabbit_url):  # declares it
            await published(broker, Route.EDIT, b"after")
        assert (await inbox.next()).body == b"after"


async def test_a_malformed_reply_address_breaks_nothing_else(rabbit_url: str) -> None:
    inbox = Inbox()
    async with opened(rabbit_url) as broker, broker.consume(Route.EDIT, inbox, concurrency=1):
        with pytest.raises(BrokerUnavailable):
            await broker.reply("amq.rabbitmq.reply-to.g1h2.x==", b"", correlation_id=None)
        await broker.publish(Route.EDIT, b"", message_id="1")
        assert (await inbox.next()).redelivered is False


async def test_a_direct_reply_finds_the_sender(rabbit_url: str) -> None:
    inbox = Inbox()
    replies: asyncio.Queue[bytes] = asyncio.Queue()

    async def keep(message: AbstractIncomingMessage) -> None:
        replies.put_nowait(message.body)

    async with (
        opened(rabbit_url) as broker,
        broker.consume(Route.EDIT, inbox, concurrency=1),
        raw_channel(rabbit_url) as channel,
    ):
        direct = await channel.get_queue("amq.rabbitmq.reply-to", ensure=False)
        await direct.consume(keep, no_ack=True)
        jobs = await channel.get_exchange(JOBS, ensure=False)
        await jobs.publish(aio_pika.Message(b"", reply_to=direct.name), Route.EDIT.value)
        address = (await inbox.next()).reply_to
        assert address is not None
        await broker.reply(address, b"done", correlation_id=None)
        assert await asyncio.wait_for(replies.get(), WAIT_S) == b"done"


async def test_any_properties_of_a_stranger_can_be_dead_lettered(rabbit_url: str) -> None:
    headers: HeadersType = {"n": 1, "none": None, "list": [1, "a"], "bytes": b"\xff", "long": "x" * 100_000}
    message = aio_pika.Message(b"\xff", headers=headers, expiration=600, user_id="guest", priority=9)

    async def refuse(_: Delivery) -> None:
        raise DeadLetter("no")

    async with (
        opened(rabbit_url) as broker,
        raw_channel(rabbit_url) as channel,
        outside_rabbit(rabbit_url) as outside,
        broker.consume(Route.EDIT, refuse, concurrency=1),
    ):
        jobs = await channel.get_exchange(JOBS, ensure=False)
        await jobs.publish(message, Route.EDIT.value)
        dead = await outside.next_dead()
    assert dead.headers == {"x-error": "no", "x-original-route": "edit", "x-original-user-id": "guest"}


async def test_a_message_that_always_kills_its_worker_is_dead_lettered(rabbit_url: str) -> None:
    async with opened(rabbit_url) as broker, outside_rabbit(rabbit_url) as outside:
        await broker.publish(Route.EDIT, b"deadly", message_id="1")
        for _ in range(DELIVERY_LIMIT + 1):
            async with raw_channel(rabbit_url) as channel:
                queue = await channel.get_queue(Route.EDIT.queue)
                async with queue.iterator(timeout=WAIT_S) as messages:
                    assert (await anext(messages)).body == b"deadly"
        assert (await outside.next_dead()).body == b"deadly"
