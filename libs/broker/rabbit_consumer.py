"""Working one RabbitMQ queue: every message in a task of its own, settled by the rules of `settle`."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from libs.broker.amqp import to_delivery
from libs.broker.errors import BrokerUnavailable
from libs.broker.port import Delivery, Handler
from libs.broker.rabbit_connection import unavailable
from libs.broker.settle import attempt, logged_for
from libs.contracts.topology import Route

PutAside = Callable[[AbstractIncomingMessage, Route, str], Awaitable[None]]

_log = structlog.get_logger(__name__)


class Consumer:
    """Feeds a handler, over one channel after another.

    aio-pika cancels its callbacks with the connection. A handler here is not one of them: it runs
    to its end, only its acknowledgement fails, and the message comes again. It keeps its slot, so
    no more than `concurrency` handlers ever run.
    """

    def __init__(self, route: Route, handler: Handler, put_aside: PutAside, *, concurrency: int) -> None:
        self._route = route
        self._handler = handler
        self._put_aside = put_aside
        self._concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self._working: set[asyncio.Task[None]] = set()
        self._queue: AbstractQueue | None = None
        self._tag = f"{route.queue}.{id(self)}"
        self._stopping = False

    async def prepare(self, channel: AbstractChannel) -> None:
        """Start the deliveries on a fresh channel."""
        await channel.set_qos(prefetch_count=self._concurrency)
        self._queue = await channel.get_queue(self._route.queue, ensure=False)

        async def take(message: AbstractIncomingMessage) -> None:
            if not self._stopping:
                task = asyncio.create_task(self._work(channel, message), name=f"work {self._route.queue}")
                self._working.add(task)
                task.add_done_callback(self._working.discard)

        await self._queue.consume(take, consumer_tag=self._tag)

    async def stop(self, *, timeout_s: float) -> None:
        """Take no more, cancel what runs, and give it back. Closing the channel gives back the rest."""
        self._stopping = True
        if self._queue is not None:
            with suppress(BrokerUnavailable), unavailable():
                await self._queue.cancel(self._tag, timeout=timeout_s)
        working = list(self._working)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)

    async def _work(self, channel: AbstractChannel, message: AbstractIncomingMessage) -> None:
        async with self._slots:
            if channel.is_closed:
                return  # lost while it waited for a slot; it comes again
            delivery = to_delivery(message)
            with logged_for(delivery):
                await self._attempt(message, delivery)

    async def _attempt(self, message: AbstractIncomingMessage, delivery: Delivery) -> None:
        try:
            reason = await attempt(self._handler, delivery, self._route)
        except asyncio.CancelledError:
            await self._settle(message, message.nack(requeue=True))
            raise
        if reason is None:
            await self._settle(message, message.ack())
        else:
            await self._settle(message, self._put_aside(message, self._route, reason))

    async def _settle(self, message: AbstractIncomingMessage, settled: Awaitable[None]) -> None:
        try:
            with unavailable():
                await settled
        except BrokerUnavailable as error:
            _log.info("settle_failed", route=self._route, message_id=message.message_id, error=str(error))
