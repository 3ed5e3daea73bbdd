"""A broker inside one process and one event loop; its messages end with the process."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count

from msgspec.structs import replace

from libs.broker.errors import BrokerUnavailable
from libs.broker.event_subscription import CAPACITY, Subscription
from libs.broker.port import NO_HEADERS, BrokerMessage, Event, Handler
from libs.broker.settlement import dead_letter_copy, received, run_handler
from libs.contracts.topology import OWN_PREFIX, Route
from libs.runtime.background import supervised_loops

MAX_DEAD = 1000  # dead letters kept; the oldest go first

QueuedMessage = tuple[int, BrokerMessage]  # its position, which it keeps when it is returned to the queue


class MemoryBroker:
    """An implementation of `Broker` with one queue a route; bodies stay encoded, as on a wire.

    The queues have no limit of their own: the number of messages is bounded by the rows that they stand for.
    Each listener buffers up to `events_capacity` events, then loses the oldest.
    """

    user = None
    system = "memory"

    def __init__(self, *, events_capacity: int = CAPACITY) -> None:
        self.dead: deque[BrokerMessage] = deque(maxlen=MAX_DEAD)  # oldest first
        self._queues: dict[Route, asyncio.PriorityQueue[QueuedMessage]] = {
            route: asyncio.PriorityQueue() for route in Route
        }
        self._positions = count()
        self._replies: dict[str, asyncio.Queue[BrokerMessage]] = {}
        self._subscriptions: set[Subscription] = set()
        self._events_capacity = events_capacity
        self._closed = False

    async def publish(
        self, route: Route, body: bytes, *, message_id: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        await self.send(
            route,
            BrokerMessage(
                body=body, headers=dict(headers), message_id=message_id, content_type="application/json"
            ),
        )

    async def send(self, route: Route, message: BrokerMessage) -> None:
        """Queue a message with all its properties, as an outside producer would."""
        await self.ping()
        self._queues[route].put_nowait((next(self._positions), message))

    async def reply(self, to: str, body: bytes, *, correlation_id: str | None) -> None:
        await self.ping()
        if to in self._replies and not to.startswith(OWN_PREFIX):
            self._replies[to].put_nowait(BrokerMessage(body=body, correlation_id=correlation_id))

    @asynccontextmanager
    async def replies(self, name: str) -> AsyncGenerator[asyncio.Queue[BrokerMessage]]:
        """Return the queue that `reply` fills under `name`; it exists while the block runs."""
        try:
            yield self._replies.setdefault(name, asyncio.Queue())
        finally:
            self._replies.pop(name, None)

    async def emit(self, key: str, body: bytes) -> None:
        await self.ping()
        for subscription in self._subscriptions:
            if subscription.matches(key):
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
    async def consume(
        self, route: Route, handler: Handler, *, concurrency: int, drain_s: float = 0
    ) -> AsyncGenerator[None]:
        stopping = asyncio.Event()
        running: set[asyncio.Future[None]] = set()
        consumers = {
            f"consume {route.queue} {n}": self._consume_queue(route, handler, stopping, running)
            for n in range(concurrency)
        }
        async with supervised_loops(consumers, insist=False):
            try:
                yield
            finally:
                stopping.set()
                if running:
                    await asyncio.wait(running, timeout=drain_s)

    async def _consume_queue(
        self, route: Route, handler: Handler, stopping: asyncio.Event, running: set[asyncio.Future[None]]
    ) -> None:
        queue = self._queues[route]
        while not stopping.is_set():
            position, message = await queue.get()
            if stopping.is_set():
                queue.put_nowait((position, message))
                return
            ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            running.add(ended)
            try:
                with received(message, route, self.system):
                    reason = await run_handler(handler, message, route)
            except asyncio.CancelledError:
                queue.put_nowait((position, replace(message, redelivered=True)))
                raise
            finally:
                running.discard(ended)
                ended.set_result(None)
            if reason is not None:
                self.dead.append(dead_letter_copy(message, route, reason))

    async def dead_letter_count(self) -> int:
        await self.ping()
        return len(self.dead)

    async def ping(self) -> None:
        if self._closed:
            raise BrokerUnavailable("the broker is closed")

    async def close(self) -> None:
        self._closed = True
        for subscription in self._subscriptions:
            subscription.put(None)
