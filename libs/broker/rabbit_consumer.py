"""Consuming a RabbitMQ queue: each message in a task of its own, settled by the rules of `settlement`."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from libs.broker.errors import BrokerUnavailable
from libs.broker.port import BrokerMessage, Handler
from libs.broker.rabbit_connection import CLOSE_S, mapped_errors
from libs.broker.rabbit_messages import to_broker_message
from libs.broker.settlement import received, run_handler
from libs.contracts.topology import Route

DeadLetterMessage = Callable[[AbstractIncomingMessage, Route, str], Awaitable[None]]

SYSTEM = "rabbitmq"  # in spans
SETTLE_S = 15.0  # for an acknowledgement to be written, or a dead letter to be confirmed

_log = structlog.get_logger(__name__)


class Consumer:
    """Runs a handler for the messages of one route, over one channel after another.

    aio-pika cancels its callbacks with the connection. A handler here is not one of them: when the connection
    is lost it runs to its end, its acknowledgement fails, and the message is delivered again. It keeps its
    slot meanwhile, so that no more than `concurrency` handlers ever run.
    """

    def __init__(
        self, route: Route, handler: Handler, dead_letter: DeadLetterMessage, *, concurrency: int
    ) -> None:
        self._route = route
        self._handler = handler
        self._dead_letter = dead_letter
        self._concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self._running: set[asyncio.Task[None]] = set()
        self._queue: AbstractQueue | None = None
        self._tag = f"{route.queue}.{id(self)}"
        self._stopping = False

    async def prepare(self, channel: AbstractChannel) -> None:
        """Start to consume on a new channel."""
        await channel.set_qos(prefetch_count=self._concurrency)
        self._queue = await channel.get_queue(self._route.queue, ensure=False)

        async def start_task(incoming: AbstractIncomingMessage) -> None:
            if not self._stopping:
                task = asyncio.create_task(
                    self._process(channel, incoming), name=f"process {self._route.queue}"
                )
                self._running.add(task)
                task.add_done_callback(self._running.discard)

        await self._queue.consume(start_task, consumer_tag=self._tag)

    async def stop(self, drain_s: float = 0) -> None:
        """Stop consuming, cancel handlers that run longer than `drain_s`, and return their messages.

        Messages that no handler has started are returned when the channel closes.
        """
        self._stopping = True
        if self._queue is not None:
            with suppress(BrokerUnavailable), mapped_errors():
                await self._queue.cancel(self._tag, timeout=CLOSE_S)
        if self._running:
            await asyncio.wait(self._running, timeout=drain_s)
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _process(self, channel: AbstractChannel, incoming: AbstractIncomingMessage) -> None:
        async with self._slots:
            if channel.is_closed or self._stopping:
                return  # it waited for a slot, and is delivered again
            try:
                message = to_broker_message(incoming)
            except Exception as error:  # noqa: BLE001 - a message that nobody can read must not stay
                await self._settle(incoming, self._dead_letter(incoming, self._route, repr(error)))
                return
            with received(message, self._route, SYSTEM):
                await self._run_and_settle(incoming, message)

    async def _run_and_settle(self, incoming: AbstractIncomingMessage, message: BrokerMessage) -> None:
        try:
            reason = await run_handler(self._handler, message, self._route)
        except asyncio.CancelledError:
            await self._settle(incoming, incoming.nack(requeue=True))
            raise
        if reason is None:
            await self._settle(incoming, incoming.ack())
        else:
            await self._settle(incoming, self._dead_letter(incoming, self._route, reason))

    async def _settle(self, incoming: AbstractIncomingMessage, settlement: Awaitable[None]) -> None:
        try:
            with mapped_errors():
                async with asyncio.timeout(SETTLE_S):
                    await settlement
        except BrokerUnavailable as error:
            _log.info("settle_failed", route=self._route, message_id=incoming.message_id, error=str(error))
