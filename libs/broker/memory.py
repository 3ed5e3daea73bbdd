"""A broker inside one process and one event loop. Nothing outlives the process."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count

from msgspec.structs import replace

from libs.broker.errors import BrokerUnavailable
from libs.broker.port import NO_HEADERS, Delivery, Event, Handler
from libs.broker.settle import attempt, dead_copy, logged_for
from libs.broker.subscription import CAPACITY, Subscription
from libs.contracts.topology import OWN_PREFIX, Route

MAX_DEAD = 1000  # dead letters kept; the oldest go first

Queued = tuple[int, Delivery]  # its place in the line, which it keeps when it is given back


class MemoryBroker:
    """Implements `Broker` with one queue a route; bodies stay encoded, as on a wire.

    Queues are not bounded: what fills them is bounded by the rows that the messages stand for.
    Each listener to events holds up to `events_capacity` of them, then loses the oldest.
    """

    user = None

    def __init__(self, *, events_capacity: int = CAPACITY) -> None:
        self.dead: deque[Delivery] = deque(maxlen=MAX_DEAD)  # oldest first, for people to read
        self._queues: dict[Route, asyncio.PriorityQueue[Queued]] = {
            route: asyncio.PriorityQueue() for route in Route
        }
        self._places = count()
        self._replies: dict[str, asyncio.Queue[Delivery]] = {}
        self._subscriptions: set[Subscription] = set()
        self._events_capacity = events_capacity
        self._closed = False

    async def publish(
        self, route: Route, body: bytes, *, message_id: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        await self.send(
            route,
            Delivery(
                body=body, headers=dict(headers), message_id=message_id, content_type="application/json"
            ),
        )

    async def send(self, route: Route, delivery: Delivery) -> None:
        """Queue a message with all its properties, as an outside producer would."""
        await self.ping()
        self._queues[route].put_nowait((next(self._places), delivery))

    async def reply(self, to: str, body: bytes, *, correlation_id: str | None) -> None:
        await self.ping()
        if to in self._replies and not to.startswith(OWN_PREFIX):
            self._replies[to].put_nowait(Delivery(body=body, correlation_id=correlation_id))

    @asynccontextmanager
    async def replies(self, name: str) -> AsyncGenerator[asyncio.Queue[Delivery]]:
        """The queue that `reply` fills under that name, while inside."""
        try:
            yield self._replies.setdefault(name, asyncio.Queue())
        finally:
            self._replies.pop(name, None)

    async def emit(self, key: str, body: bytes) -> None:
        await self.ping()
        for subscription in self._subscriptions:
            if subscription.wants(key):
                subscription.put(Event(key, body))

    @asynccontextmanager
    async def events(self, *patterns: str) -> AsyncGenerator[AsyncIterator[Event]]:
        await self.ping()
        subscription = Subscription(patterns, self._events_capacity)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    @asynccontextmanager
    async def consume(self, route: Route, handler: Handler, *, concurrency: int) -> AsyncGenerator[None]:
        stopping = asyncio.Event()
        workers = [
            asyncio.create_task(self._work(route, handler, stopping), name=f"consume {route.queue} {n}")
            for n in range(concurrency)
        ]
        try:
            yield
        finally:
            stopping.set()
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, route: Route, handler: Handler, stopping: asyncio.Event) -> None:
        queue = self._queues[route]
        while not stopping.is_set():
            place, delivery = await queue.get()
            try:
                with logged_for(delivery):
                    reason = await attempt(handler, delivery, route)
            except asyncio.CancelledError:
                queue.put_nowait((place, replace(delivery, redelivered=True)))
                raise
            if reason is not None:
                self.dead.append(dead_copy(delivery, route, reason))

    async def ping(self) -> None:
        if self._closed:
            raise BrokerUnavailable("the broker is closed")

    async def close(self) -> None:
        self._closed = True
        for subscription in self._subscriptions:
            subscription.put(None)
