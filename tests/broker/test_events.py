import asyncio

from libs.broker.event_subscription import Subscription, matches
from libs.broker.port import Broker, Event
from tests.support.waiting import WAIT_S

PATTERNS = [
    ("job.completed", "job.completed", True),
    ("job.*", "job.completed", True),
    ("job.*", "job", False),
    ("job.*", "job.completed.late", False),
    ("*.completed", "batch.completed", True),
    ("#", "", True),
    ("#", "job.completed", True),
    ("job.#", "job", True),
    ("job.#", "job.completed.late", True),
    ("#.completed", "completed", True),
    ("#.completed", "job.very.completed", True),
    ("#.completed", "job.completed.late", False),
    ("job.#.late.*", "job.late.late.now", True),
    ("*", "", False),
    ("", "", True),
    ("", "job", False),
    ("jo*", "job", False),
]


async def test_patterns_match_as_in_amqp(broker: Broker) -> None:
    for pattern, key, expected in PATTERNS:
        assert matches(pattern, key) is expected
        async with broker.events(pattern, "the.end") as events:
            await broker.emit(key, b"1")
            await broker.emit("the.end", b"2")
            first = await asyncio.wait_for(anext(events), WAIT_S)
        assert (first.key == key) is expected, (pattern, key)


async def test_every_listener_gets_an_event_once(broker: Broker) -> None:
    async with broker.events("job.*", "#") as one, broker.events("job.completed") as other:
        await broker.emit("image.deleted", b"1")
        await broker.emit("job.completed", b"2")
        deleted, completed = Event("image.deleted", b"1"), Event("job.completed", b"2")
        assert [await asyncio.wait_for(anext(one), WAIT_S) for _ in range(2)] == [deleted, completed]
        assert await asyncio.wait_for(anext(other), WAIT_S) == completed


async def test_an_event_without_a_listener_is_no_error(broker: Broker) -> None:
    async with broker.events("job.completed"):
        pass
    await broker.emit("job.completed", b"")


async def test_a_slow_listener_loses_the_oldest_events() -> None:
    subscription = Subscription(("#",), capacity=2)
    for body in (b"1", b"2", b"3"):
        subscription.put(Event("job.completed", body))
    assert [(await anext(subscription)).body for _ in range(2)] == [b"2", b"3"]


async def test_a_subscription_stays_ended() -> None:
    subscription = Subscription(("#",))
    subscription.put(Event("job.completed", b"1"))
    subscription.put(None)
    assert [event.body async for event in subscription] == [b"1"]
    assert [event.body async for event in subscription] == []
