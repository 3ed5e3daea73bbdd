"""What only RabbitMQ has: topology, messages of other programs, several connections."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import aio_pika
import aiohttp
import pytest
from aio_pika.abc import AbstractIncomingMessage, HeadersType
from aio_pika.exceptions import ChannelNotFoundEntity
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from yarl import URL

from libs.broker.errors import BrokerUnavailable, DeadLetter
from libs.broker.port import BrokerMessage
from libs.broker.rabbit import RabbitBroker
from libs.broker.rabbit_consumer import Consumer
from libs.contracts.topology import DEAD, DELIVERY_LIMIT, JOBS, OWN_PREFIX, Route
from tests.broker.broker_client import rabbit_broker_client
from tests.broker.connections import connected_broker, publish_when_possible, raw_channel
from tests.broker.recording_handler import RecordingHandler
from tests.support.services import service_url
from tests.support.waiting import WAIT_S

pytestmark = pytest.mark.services


async def managed(what: str, url: str) -> list[dict[str, Any]]:
    """What the management API lists of a virtual host."""
    address = URL(service_url("RABBITMQ_MANAGEMENT")) / "api" / what / URL(url).path.removeprefix("/")
    async with aiohttp.ClientSession(raise_for_status=True) as client, client.get(address) as answer:
        return await answer.json()


async def test_two_connections_share_a_queue(rabbit_url: str) -> None:
    both = asyncio.Barrier(2)
    handler = RecordingHandler()

    async def work(message: BrokerMessage) -> None:
        await both.wait()  # goes on only when each connection has one
        await handler(message)

    async with (
        connected_broker(rabbit_url) as one,
        connected_broker(rabbit_url) as other,
        one.consume(Route.EDIT, work, concurrency=1),
        other.consume(Route.EDIT, work, concurrency=1),
    ):
        for n in range(10):
            await one.publish(Route.EDIT, b"%d" % n, message_id=str(n))
        bodies = [(await handler.next()).body for _ in range(10)]
    assert sorted(bodies) == [b"%d" % n for n in range(10)]


async def test_a_message_that_no_queue_takes_is_an_error(rabbit_url: str) -> None:
    async with connected_broker(rabbit_url) as broker, raw_channel(rabbit_url) as channel:
        await channel.queue_delete(Route.EDIT.queue)
        with pytest.raises(BrokerUnavailable, match="NO_ROUTE"):
            await broker.publish(Route.EDIT, b"", message_id="1")
        await broker.publish(Route.INGEST, b"", message_id="2")


async def test_a_missing_exchange_is_an_error_until_it_is_back(rabbit_url: str) -> None:
    async with connected_broker(rabbit_url) as broker, raw_channel(rabbit_url) as channel:
        await channel.exchange_delete(JOBS)
        with pytest.raises(BrokerUnavailable, match="no exchange"):
            await broker.publish(Route.EDIT, b"", message_id="1")
        async with connected_broker(rabbit_url):  # declares it
            await broker.publish(Route.EDIT, b"", message_id="2")


async def test_a_broker_that_is_only_looked_at_declares_nothing(rabbit_url: str) -> None:
    async with raw_channel(rabbit_url) as channel:
        await channel.exchange_delete(JOBS)
        broker = await RabbitBroker.connect(rabbit_url, declare=False)
        await broker.ping()
        await broker.close()
        with pytest.raises(ChannelNotFoundEntity):
            await channel.get_exchange(JOBS)


async def test_a_deleted_queue_is_consumed_again_once_it_is_back(rabbit_url: str) -> None:
    handler = RecordingHandler()
    async with (
        connected_broker(rabbit_url) as broker,
        raw_channel(rabbit_url) as channel,
        broker.consume(Route.EDIT, handler, concurrency=1),
    ):
        await publish_when_possible(broker, Route.EDIT, b"before")
        await handler.next()
        await channel.queue_delete(Route.EDIT.queue)
        await asyncio.sleep(1)  # a queue made again at once hides its deletion from its consumers
        async with connected_broker(rabbit_url):  # declares it
            await publish_when_possible(broker, Route.EDIT, b"after")
        assert (await handler.next()).body == b"after"


async def test_a_message_that_cannot_be_settled_is_logged_with_its_request_id(rabbit_url: str) -> None:
    async with connected_broker(rabbit_url) as broker, raw_channel(rabbit_url) as channel:

        async def lose_channel(_: BrokerMessage) -> None:
            await channel.close()

        async def put_aside(message: AbstractIncomingMessage, _: Route, __: str) -> None:
            await message.reject(requeue=False)

        consumer = Consumer(Route.EDIT, lose_channel, put_aside, concurrency=1)
        with capture_logs([merge_contextvars]) as lines:
            await consumer.prepare(channel)
            await broker.publish(Route.EDIT, b"", message_id="m", headers={"x-request-id": "r-1"})
            async with asyncio.timeout(WAIT_S):
                while not (failed := [line for line in lines if line["event"] == "settle_failed"]):
                    await asyncio.sleep(0.01)
        await consumer.stop()
    assert [(line["message_id"], line["request_id"]) for line in failed] == [("m", "r-1")]


async def test_queues_are_quorums_and_send_no_more_than_is_worked(rabbit_url: str) -> None:
    expected = {route.queue: n for n, route in enumerate(Route, start=1)}
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(connected_broker(rabbit_url))
        for route in Route:
            consuming = broker.consume(route, RecordingHandler(), concurrency=expected[route.queue])
            await stack.enter_async_context(consuming)
        async with asyncio.timeout(WAIT_S):
            while len(consumers := await managed("consumers", rabbit_url)) < len(expected):
                await asyncio.sleep(0.05)
        queues = await managed("queues", rabbit_url)
    assert {queue["name"]: queue["type"] for queue in queues if queue["name"].startswith(OWN_PREFIX)} == {
        name: "quorum" for name in (DEAD, *expected)
    }
    assert {one["queue"]["name"]: one["prefetch_count"] for one in consumers} == expected


async def test_a_malformed_reply_address_breaks_nothing_else(rabbit_url: str) -> None:
    handler = RecordingHandler()
    async with connected_broker(rabbit_url) as broker, broker.consume(Route.EDIT, handler, concurrency=1):
        with pytest.raises(BrokerUnavailable):
            await broker.reply("amq.rabbitmq.reply-to.g1h2.x==", b"", correlation_id=None)
        await broker.publish(Route.EDIT, b"", message_id="1")
        assert (await handler.next()).redelivered is False


async def test_a_direct_reply_finds_the_sender(rabbit_url: str) -> None:
    handler = RecordingHandler()
    replies: asyncio.Queue[bytes] = asyncio.Queue()

    async def keep(message: AbstractIncomingMessage) -> None:
        replies.put_nowait(message.body)

    async with (
        connected_broker(rabbit_url) as broker,
        broker.consume(Route.EDIT, handler, concurrency=1),
        raw_channel(rabbit_url) as channel,
    ):
        direct = await channel.get_queue("amq.rabbitmq.reply-to", ensure=False)
        await direct.consume(keep, no_ack=True)
        jobs = await channel.get_exchange(JOBS, ensure=False)
        await jobs.publish(aio_pika.Message(b"", reply_to=direct.name), Route.EDIT.value)
        address = (await handler.next()).reply_to
        assert address is not None
        await broker.reply(address, b"done", correlation_id=None)
        assert await asyncio.wait_for(replies.get(), WAIT_S) == b"done"


async def test_a_message_with_any_properties_can_be_dead_lettered(rabbit_url: str) -> None:
    headers: HeadersType = {"n": 1, "none": None, "list": [1, "a"], "long": "x" * 100_000}
    message = aio_pika.Message(b"\xff", headers=headers, expiration=600, user_id="guest", priority=9)

    async def refuse(_: BrokerMessage) -> None:
        raise DeadLetter("no")

    async with (
        connected_broker(rabbit_url) as broker,
        raw_channel(rabbit_url) as channel,
        rabbit_broker_client(rabbit_url) as broker_client,
        broker.consume(Route.EDIT, refuse, concurrency=1),
    ):
        jobs = await channel.get_exchange(JOBS, ensure=False)
        await jobs.publish(message, Route.EDIT.value)
        dead = await broker_client.next_dead()
    assert dead.headers == {"x-error": "no", "x-original-route": "edit", "x-original-user-id": "guest"}


async def test_a_message_that_always_kills_its_worker_is_dead_lettered(rabbit_url: str) -> None:
    async with connected_broker(rabbit_url) as broker, rabbit_broker_client(rabbit_url) as broker_client:
        await broker.publish(Route.EDIT, b"deadly", message_id="1")
        for _ in range(DELIVERY_LIMIT + 1):
            async with raw_channel(rabbit_url) as channel:
                queue = await channel.get_queue(Route.EDIT.queue)
                async with queue.iterator(timeout=WAIT_S) as messages:
                    assert (await anext(messages)).body == b"deadly"
        assert (await broker_client.next_dead()).body == b"deadly"
