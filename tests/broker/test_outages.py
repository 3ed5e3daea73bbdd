"""RabbitMQ going away and coming back."""

import asyncio
from contextlib import suppress

import pytest
from aio_pika import connect

from libs.broker.errors import BrokerUnavailable
from libs.broker.port import Broker, BrokerMessage, Event
from libs.broker.rabbit import RabbitBroker
from libs.contracts.topology import Route
from tests.broker.connections import connected_broker, publish_when_possible
from tests.broker.rabbit_node import ANSWERS, RabbitNode
from tests.broker.recording_handler import RecordingHandler
from tests.support.fault_proxy import FaultProxy
from tests.support.waiting import WAIT_S, until

pytestmark = pytest.mark.services

QUICK_S = 30  # far less than a broker that waits for a connection would take


async def heard(broker: Broker, events: asyncio.Task[Event]) -> Event:
    """Emit until a listener that has to come back hears it."""
    async with asyncio.timeout(WAIT_S):
        while not events.done():
            with suppress(BrokerUnavailable):
                await broker.emit("job.completed", b"again")
            await asyncio.wait([events], timeout=0.1)
    return events.result()


async def test_a_handler_outlives_the_broker_and_its_message_comes_again(node: RabbitNode) -> None:
    started, proceed, finished = asyncio.Event(), asyncio.Event(), RecordingHandler()

    async def work(message: BrokerMessage) -> None:
        started.set()
        await proceed.wait()
        await finished(message)

    async with (
        connected_broker(node.url) as broker,
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

        await publish_when_possible(broker, Route.EDIT, b"second")
        assert (await finished.next()).body == b"second"
        event = await heard(broker, asyncio.ensure_future(anext(events)))
        assert event == Event("job.completed", b"again")


async def test_a_reply_in_a_durable_queue_outlives_the_broker(node: RabbitNode) -> None:
    async with connected_broker(node.url) as broker:
        await broker.reply(ANSWERS, b"done", correlation_id="1")
        await node.kill()
        await node.start()
    async with await connect(node.url) as sender:
        queue = await (await sender.channel()).get_queue(ANSWERS)
        message = await queue.get(no_ack=True)
    assert (message.body, message.correlation_id) == (b"done", "1")


async def test_no_more_handlers_run_after_a_reconnect_than_before(node: RabbitNode) -> None:
    running = most = 0
    started, proceed, finished = asyncio.Event(), asyncio.Event(), RecordingHandler()

    async def work(message: BrokerMessage) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        started.set()
        await proceed.wait()
        running -= 1
        await finished(message)

    async with connected_broker(node.url) as broker, broker.consume(Route.EDIT, work, concurrency=1):
        await broker.publish(Route.EDIT, b"1", message_id="1")
        await asyncio.wait_for(started.wait(), WAIT_S)
        await node.kill()
        await node.start()
        await publish_when_possible(broker, Route.EDIT, b"2")
        proceed.set()
        assert {(await finished.next()).body for _ in range(3)} == {b"1", b"2"}
    assert most == 1


async def test_a_published_message_outlives_the_broker(node: RabbitNode) -> None:
    async with connected_broker(node.url) as broker:
        async with asyncio.TaskGroup() as group:
            for n in range(50):
                group.create_task(broker.publish(Route.INGEST, b"%d" % n, message_id=str(n)))
        await node.kill()
        await node.start()
        handler = RecordingHandler()
        async with broker.consume(Route.INGEST, handler, concurrency=10):
            bodies = {(await handler.next()).body for _ in range(50)}
    assert bodies == {b"%d" % n for n in range(50)}


async def test_a_broker_that_is_down_at_start_is_used_once_it_is_up(node: RabbitNode) -> None:
    await node.kill()
    handler = RecordingHandler()
    async with asyncio.timeout(QUICK_S):
        broker = await RabbitBroker.connect(node.url, reconnect_s=0.1)
    async with (
        broker.consume(Route.TRANSFORM, handler, concurrency=1),
        broker.events("job.*") as events,
    ):
        with pytest.raises(BrokerUnavailable):
            await broker.publish(Route.TRANSFORM, b"early", message_id="1")
        await node.start()
        await publish_when_possible(broker, Route.TRANSFORM, b"late")
        assert (await handler.next()).body == b"late"
        await heard(broker, asyncio.ensure_future(anext(events)))
    await broker.close()


async def test_leaving_during_an_outage_is_quick(node: RabbitNode) -> None:
    started = asyncio.Event()

    async def stay(_: BrokerMessage) -> None:
        started.set()
        await asyncio.Event().wait()

    async with (
        asyncio.timeout(WAIT_S),
        connected_broker(node.url) as broker,
        broker.events("#"),
        broker.consume(Route.TRANSFORM, stay, concurrency=1),
    ):
        await broker.publish(Route.TRANSFORM, b"", message_id="1")
        await started.wait()
        await node.kill()


async def test_a_silent_network_is_noticed(rabbit_url: str) -> None:
    handler = RecordingHandler()
    async with (
        FaultProxy.to(rabbit_url) as proxy,
        connected_broker(proxy.url, timeout_s=1) as broker,
        broker.events("job.*") as events,
        broker.consume(Route.TRANSFORM, handler, concurrency=1),
    ):
        proxy.silence()
        async with asyncio.timeout(QUICK_S):
            with pytest.raises(BrokerUnavailable):
                await broker.publish(Route.TRANSFORM, b"into the void", message_id="1")
            with pytest.raises(BrokerUnavailable):
                await broker.ping()
        await publish_when_possible(broker, Route.TRANSFORM, b"after")  # over a connection made anew
        assert (await handler.next()).body == b"after"
        await heard(broker, asyncio.ensure_future(anext(events)))


async def test_the_wait_for_a_confirmation_is_limited(rabbit_url: str) -> None:
    async with (
        FaultProxy.to(rabbit_url) as proxy,
        connected_broker(proxy.url, timeout_s=1, heartbeat_s=600) as broker,
    ):
        await broker.publish(Route.TRANSFORM, b"before", message_id="before")
        proxy.silence()
        async with asyncio.timeout(QUICK_S):
            with pytest.raises(BrokerUnavailable):
                await broker.publish(Route.TRANSFORM, b"into the void", message_id="void")
        await publish_when_possible(broker, Route.TRANSFORM, b"after")


async def test_a_broker_short_of_memory_is_unavailable_at_once(node: RabbitNode) -> None:
    async with connected_broker(node.url, timeout_s=WAIT_S) as broker:

        async def is_refused() -> bool:
            try:
                async with asyncio.timeout(1):  # of a confirmation that does not come
                    await broker.publish(Route.EDIT, b"late", message_id="1")
            except (BrokerUnavailable, TimeoutError) as error:
                return isinstance(error, BrokerUnavailable)
            return False

        await node.control("set_vm_memory_high_watermark", "absolute", "1MB")
        await until(is_refused, within_s=QUICK_S)
        await node.control("set_vm_memory_high_watermark", "absolute", "1GB")
        await publish_when_possible(broker, Route.EDIT, b"after")
