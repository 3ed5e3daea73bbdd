"""Publishing with confirms over one channel that any number of tasks share."""

import asyncio

from aio_pika import Message
from aio_pika.abc import AbstractChannel

from libs.broker.rabbit_connection import ReconnectingConnection, mapped_errors


class Publisher:
    """A publisher that opens its channel on first use, and again after it was closed."""

    def __init__(self, connection: ReconnectingConnection, *, timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()

    async def send(self, exchange: str, key: str, message: Message, *, mandatory: bool) -> None:
        """Publish and wait for the confirmation; with `mandatory` an unroutable message is an error.

        Raises:
            BrokerUnavailable: The message was not confirmed in time; it may still have arrived.
        """
        with mapped_errors():
            await self._connection.check_unblocked()
            try:
                async with asyncio.timeout(self._timeout_s):
                    channel = await self._open()
                    target = await channel.get_exchange(exchange, ensure=False)
                    await target.publish(message, key, mandatory=mandatory)
            except TimeoutError:
                await self._connection.suspect()
                raise

    async def _open(self) -> AbstractChannel:
        if self._channel is not None and not self._channel.is_closed:
            return self._channel
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                self._channel = await self._connection.channel(confirms=True)
            return self._channel
