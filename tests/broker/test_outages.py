"""RabbitMQ going away and coming back."""

import asyncio
from contextlib import suppress

import pytest

from libs.broker.errors import BrokerUnavailable
from libs.broker.port import Broker, Delivery, Event
from libs.broker.rabbit import RabbitBroker
from libs.contracts.topology import Route
from tests.broker.broker_client import WAIT_S
from tests.broker.connections import opened, published
from tests.broker.rabbit_node import Node
from tests.broker.recording_handler import Inbox
from tests.support.fault_proxy import Proxy

pytestmark = pytest.mark.services

QUICK_S = 3


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
