"""One AMQP connection that is made again whenever it is lost, and the channels on it."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from typing import NoReturn

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from libs.broker.dial import dial
from libs.broker.errors import BrokerUnavailable
from libs.runtime.background import end

Prepare = Callable[[AbstractChannel], Awaitable[None]]

_log = structlog.get_logger(__name__)


@contextmanager
def unavailable() -> Generator[None]:
    """Map what aio-pika raises to `BrokerUnavailable`.

    Losing a connection also cancels what waits on it; that is told from a cancelled task.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise BrokerUnavailable("the connection to the broker was lost") from error
    except CONNECTION_EXCEPTIONS as error:
        raise BrokerUnavailable(str(error) or type(error).__name__) from error


class Loss(asyncio.Event):
    """An event that is its own callback."""

    def __call__(self, *_: object) -> None:
        self.set()


class Link:
    """Keeps one connection up in a task of its own.

    A plain connection, not aio-pika's robust one: that restores every queue under its old name,
    which the broker refuses for exclusive queues it still holds for a connection that went silent.
    """

    def __init__(
        self,
        url: str,
        prepare: Callable[[AbstractConnection], Awaitable[None]],
        *,
        heartbeat_s: int,
        timeout_s: float,
        reconnect_s: float,
    ) -> None:
        self._url = url
        self._prepare = prepare
        self._heartbeat_s = heartbeat_s
        self._timeout_s = timeout_s
        self._reconnect_s = reconnect_s
        self._connection: AbstractConnection | None = None
        self._up = asyncio.Event()
        self._tried = asyncio.Event()
        self._keeper: asyncio.Task[NoReturn] | None = None
        self._closed = False

    async def start(self) -> bool:
        """Begin to connect if nobody has; tell, after the first attempt, whether it is up."""
        if self._keeper is None and not self._closed:
            self._keeper = asyncio.create_task(self._keep(), name="keep the broker connection")
        await self._tried.wait()
        return self._up.is_set()

    async def channel(self, *, confirms: bool) -> AbstractChannel:
        """Open a channel.

        Raises:
            BrokerUnavailable: There is no connection at this moment, or it was lost.
        """
        if self._connection is None:
            raise BrokerUnavailable("there is no connection to the broker")
        with unavailable():
            async with asyncio.timeout(self._timeout_s):
                channel = self._connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
                await channel.initialize()
                return channel

    async def hold(self, prepare: Prepare) -> NoReturn:
        """Have a channel that `prepare` has set up, and another one whenever it is lost.

        It counts as lost, too, when the broker cancels its consumer.
        """
        told = ""
        while True:
            try:
                await self._up.wait()
                await self._hold_once(prepare)
                told = ""
            except BrokerUnavailable as error:
                if told != (told := str(error)):
                    _log.warning("channel_lost", error=told)
            await asyncio.sleep(self._reconnect_s)

    async def close(self) -> None:
        self._closed = True
        self._tried.set()
        if self._keeper is not None:
            await end(self._keeper)

    async def _hold_once(self, prepare: Prepare) -> None:
        channel = await self.channel(confirms=False)
        lost = Loss()
        channel.close_callbacks.add(lost)
        try:
            with unavailable():
                underlay = await channel.get_underlay_channel()
                underlay.on_consumer_cancel_callbacks.add(lost)
                async with asyncio.timeout(self._timeout_s):
                    await prepare(channel)
            await lost.wait()
        finally:
            await self._let_go(channel)
        _log.info("channel_closed")

    async def _keep(self) -> NoReturn:
        told = ""  # the same trouble is logged once
        while True:
            try:
                await self._connect_once()
                told = ""
            except Exception as error:  # noqa: BLE001 - whatever it was, try again
                if told != (told := f"{type(error).__name__}: {error}"):
                    _log.warning("broker_unreachable", error=told)
            self._tried.set()
            await asyncio.sleep(self._reconnect_s)

    async def _connect_once(self) -> None:
        lost = Loss()
        with unavailable():
            async with asyncio.timeout(self._timeout_s):
                connection = await dial(self._url, heartbeat_s=self._heartbeat_s)
        connection.close_callbacks.add(lost)
        try:
            with unavailable():
                await self._prepare(connection)
            self._connection = connection
            self._up.set()
            self._tried.set()
            _log.info("broker_connected")
            await lost.wait()
            _log.warning("broker_lost")
        finally:
            self._up.clear()
            self._connection = None
            await self._let_go(connection)

    async def _let_go(self, held: AbstractConnection | AbstractChannel) -> None:
        """Close, for at most the timeout; what is lost already need not be closed."""
        with suppress(BrokerUnavailable), unavailable():
            async with asyncio.timeout(self._timeout_s):
                await held.close()
