"""What every broker does."""

import asyncio

import pytest
import structlog
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from libs.broker.errors import BrokerUnavailable, DeadLetter
from libs.broker.port import Broker, BrokerMessage, Handler
from libs.contracts.topology import Route
from tests.broker.broker_client import BrokerClient
from tests.broker.recording_handler import RecordingHandler
from tests.support.waiting import WAIT_S

log = structlog.get_logger(__name__)


async def settled(broker: Broker, route: Route) -> None:
    """Returns when nothing waits on a queue: what is sent now is the next to come."""
    handler = RecordingHandler()
    await broker.publish(route, b"last", message_id="last")
    async with broker.consume(route, handler, concurrency=1):
        assert (await handler.next()).body == b"last"


async def test_a_message_arrives_as_it_was_published(broker: Broker) -> None:
    handler = RecordingHandler()
    await broker.publish(Route.INGEST, b"{}", message_id="m-1", headers={"trace": "t-1"})
    async with broker.consume(Route.INGEST, handler, concurrency=1):
        message = await handler.next()
    assert message == BrokerMessage(
        body=b"{}",
        headers={"trace": "t-1"},
        message_id="m-1",
        user_id=broker.user,
        content_type="application/json",
    )


async def test_one_at_a_time_keeps_the_order(broker: Broker) -> None:
    bodies = [str(n).encode() for n in range(50)]
    for body in bodies:
        await broker.publish(Route.TRANSFORM, body, message_id=body.decode())
    handler = RecordingHandler()
    async with broker.consume(Route.TRANSFORM, handler, concurrency=1):
        assert [(await handler.next()).body for _ in bodies] == bodies


async def test_routes_do_not_mix(broker: Broker) -> None:
    single, bulk = RecordingHandler(), RecordingHandler()
    async with (
        broker.consume(Route.TRANSFORM, single, concurrency=1),
        broker.consume(Route.TRANSFORM_BULK, bulk, concurrency=1),
    ):
        await broker.publish(Route.TRANSFORM_BULK, b"bulk", message_id="1")
        await broker.publish(Route.TRANSFORM, b"single", message_id="2")
        assert (await single.next()).body == b"single"
        assert (await bulk.next()).body == b"bulk"
    assert single.empty()
    assert bulk.empty()


async def test_as_many_handlers_run_as_the_concurrency_says(broker: Broker) -> None:
    running = most = 0
    three = asyncio.Barrier(3)
    done = RecordingHandler()

    async def work(message: BrokerMessage) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await three.wait()  # goes on only when three are here
        running -= 1
        await done(message)

    async with broker.consume(Route.EDIT, work, concurrency=3), asyncio.TaskGroup() as group:
        for n in range(12):
            group.create_task(broker.publish(Route.EDIT, b"", message_id=str(n)))
        for _ in range(12):
            await done.next()
    assert most == 3


async def test_what_a_handler_returned_from_is_gone(broker: Broker) -> None:
    handler = RecordingHandler()
    await broker.publish(Route.INGEST, b"once", message_id="1")
    async with broker.consume(Route.INGEST, handler, concurrency=5):
        await handler.next()
    await settled(broker, Route.INGEST)


async def test_a_dead_letter_says_why_and_keeps_its_properties(
    broker: Broker, broker_client: BrokerClient
) -> None:
    sent = BrokerMessage(
        body=b"not json",
        headers={"trace": "t-1"},
        reply_to="somewhere",
        correlation_id="c-1",
        message_id="m-1",
        content_type="text/plain",
    )

    async def refuse(_: BrokerMessage) -> None:
        raise DeadLetter("body is no JSON")

    await broker_client.send(Route.TRANSFORM, sent)
    async with broker.consume(Route.TRANSFORM, refuse, concurrency=1):
        dead = await broker_client.next_dead()
    assert dead.headers == {"trace": "t-1", "x-error": "body is no JSON", "x-original-route": "transform"}
    assert (dead.body, dead.reply_to, dead.correlation_id) == (b"not json", "somewhere", "c-1")
    assert (dead.message_id, dead.content_type) == ("m-1", "text/plain")
    await settled(broker, Route.TRANSFORM)


async def test_a_very_long_reason_is_cut(broker: Broker, broker_client: BrokerClient) -> None:
    async def refuse(_: BrokerMessage) -> None:
        raise DeadLetter("\udcff" + "x" * 500_000)

    await broker.publish(Route.TRANSFORM, b"", message_id="1")
    async with broker.consume(Route.TRANSFORM, refuse, concurrency=1):
        dead = await broker_client.next_dead()
    assert dead.headers["x-error"] == "?" + "x" * 999


async def test_a_failing_handler_dead_letters_and_the_consumer_goes_on(
    broker: Broker, broker_client: BrokerClient
) -> None:
    handler = RecordingHandler()

    async def fail_first(message: BrokerMessage) -> None:
        if message.body == b"bad":
            raise ValueError("nine is no size")
        await handler(message)

    await broker.publish(Route.DESCRIBE, b"bad", message_id="1")
    await broker.publish(Route.DESCRIBE, b"good", message_id="2")
    async with broker.consume(Route.DESCRIBE, fail_first, concurrency=1):
        assert (await handler.next()).body == b"good"
        dead = await broker_client.next_dead()
    assert (dead.body, dead.headers["x-error"]) == (b"bad", "ValueError: nine is no size")


async def test_what_is_logged_about_a_message_has_its_request_id(
    broker: Broker, broker_client: BrokerClient
) -> None:
    async def work(message: BrokerMessage) -> None:
        log.info("working")
        raise DeadLetter("no") if message.body == b"bad" else ValueError("no")

    names = {"working", "dead_letter", "handler_failed"}
    with capture_logs([merge_contextvars]) as lines:
        async with broker.consume(Route.EDIT, work, concurrency=1):
            for body, request_id in ((b"bad", "r-1"), (b"", "r-2"), (b"bad", "")):
                headers = {"x-request-id": request_id} if request_id else {}
                await broker.publish(Route.EDIT, body, message_id="m", headers=headers)
                await broker_client.next_dead()
    assert [(line["event"], line.get("request_id")) for line in lines if line["event"] in names] == [
        *(("working", "r-1"), ("dead_letter", "r-1")),
        *(("working", "r-2"), ("handler_failed", "r-2")),
        *(("working", None), ("dead_letter", None)),
    ]


async def test_a_handler_whose_own_task_was_cancelled_failed(
    broker: Broker, broker_client: BrokerClient
) -> None:
    async def wait_for_the_cancelled(_: BrokerMessage) -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        await task

    await broker.publish(Route.INGEST, b"", message_id="1")
    async with broker.consume(Route.INGEST, wait_for_the_cancelled, concurrency=1):
        dead = await broker_client.next_dead()
    assert dead.headers["x-error"].startswith("CancelledError")


async def test_leaving_cancels_the_handlers_and_gives_back_their_messages(broker: Broker) -> None:
    cleaned: list[bytes] = []
    started = asyncio.Barrier(3)

    async def stay(message: BrokerMessage) -> None:
        await started.wait()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(message.body)

    for body in (b"1", b"2", b"3"):
        await broker.publish(Route.TRANSFORM, body, message_id=body.decode())
    async with broker.consume(Route.TRANSFORM, stay, concurrency=2):
        await asyncio.wait_for(started.wait(), WAIT_S)
    assert sorted(cleaned) == [b"1", b"2"]

    handler = RecordingHandler()
    async with broker.consume(Route.TRANSFORM, handler, concurrency=1):
        again = {message.body: message.redelivered for message in [await handler.next() for _ in range(3)]}
    assert again == {b"1": True, b"2": True, b"3": False}


async def test_a_stopping_consumer_lets_handlers_end_in_time_and_returns_the_messages_of_others(
    broker: Broker,
) -> None:
    started, ending = asyncio.Barrier(3), asyncio.Event()

    async def work(message: BrokerMessage) -> None:
        await started.wait()
        await (asyncio.Event() if message.body == b"endless" else ending).wait()

    for body in (b"quick", b"endless", b"not begun"):
        await broker.publish(Route.TRANSFORM, body, message_id=body.decode())
    async with broker.consume(Route.TRANSFORM, work, concurrency=2, drain_s=0.5):
        await asyncio.wait_for(started.wait(), WAIT_S)
        asyncio.get_running_loop().call_later(0.1, ending.set)

    handler = RecordingHandler()
    async with broker.consume(Route.TRANSFORM, handler, concurrency=1):
        assert {(await handler.next()).body for _ in range(2)} == {b"endless", b"not begun"}
    await settled(broker, Route.TRANSFORM)


async def test_a_handler_that_ends_well_although_cancelled_is_done(broker: Broker) -> None:
    started = asyncio.Event()

    async def finish_anyway(_: BrokerMessage) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    await broker.publish(Route.TRANSFORM, b"", message_id="1")
    async with broker.consume(Route.TRANSFORM, finish_anyway, concurrency=1):
        await asyncio.wait_for(started.wait(), WAIT_S)
    await settled(broker, Route.TRANSFORM)


async def test_two_consumers_share_a_queue(broker: Broker) -> None:
    both = asyncio.Barrier(2)
    handler = RecordingHandler()

    def working(name: bytes) -> Handler:
        async def work(_: BrokerMessage) -> None:
            await both.wait()
            await handler(BrokerMessage(body=name))

        return work

    async with (
        broker.consume(Route.EDIT, working(b"one"), concurrency=1),
        broker.consume(Route.EDIT, working(b"other"), concurrency=1),
    ):
        await broker.publish(Route.EDIT, b"", message_id="1")
        await broker.publish(Route.EDIT, b"", message_id="2")
        assert {(await handler.next()).body, (await handler.next()).body} == {b"one", b"other"}


async def test_a_reply_finds_the_sender(broker: Broker, broker_client: BrokerClient) -> None:
    async def answer(message: BrokerMessage) -> None:
        await broker.reply(message.reply_to or "", b"done", correlation_id=message.correlation_id)

    request = BrokerMessage(body=b"", reply_to=await broker_client.open_reply_queue(), correlation_id="c-7")
    await broker_client.send(Route.TRANSFORM, request)
    async with broker.consume(Route.TRANSFORM, answer, concurrency=1):
        reply = await broker_client.next_reply()
    assert (reply.body, reply.correlation_id) == (b"done", "c-7")


@pytest.mark.parametrize("to", ["gone", "", "amq.rabbitmq.reply-to"])
async def test_a_reply_to_a_missing_queue_is_no_error(broker: Broker, to: str) -> None:
    await broker.reply(to, b"{}", correlation_id=None)
    await broker.ping()


async def test_a_reply_never_lands_among_the_jobs(broker: Broker) -> None:
    await broker.reply(Route.TRANSFORM.queue, b"forged", correlation_id=None)
    await settled(broker, Route.TRANSFORM)


async def test_an_answering_broker_can_be_pinged(broker: Broker) -> None:
    await broker.ping()


async def test_a_closed_broker_is_unavailable(broker: Broker) -> None:
    async with broker.events("#") as events:
        await broker.close()
        assert [event async for event in events] == []
    await broker.close()
    for attempt in (
        broker.ping(),
        broker.publish(Route.EDIT, b"", message_id="1"),
        broker.reply("somewhere", b"", correlation_id=None),
        broker.emit("job.completed", b""),
    ):
        with pytest.raises(BrokerUnavailable):
            await attempt
