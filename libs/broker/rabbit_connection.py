"""Connections to RabbitMQ: opening one, and one that reconnects whenever it is lost."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from typing import NoReturn

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.connection import Connection, make_url
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from libs.broker.errors import BrokerUnavailable
from libs.runtime.background import cancel_and_wait

PREPARE_CALLS = 3  # the declarations may take so many times the limit of one call
CLOSE_S = 1.0  # for the broker to agree that a channel or connection closes

PrepareChannel = Callable[[AbstractChannel], Awaitable[None]]

_log = structlog.get_logger(__name__)


@contextmanager
def mapped_errors() -> Generator[None]:
    """Map aio-pika's errors to `BrokerUnavailable`.

    A lost connection also cancels what waits on it. That is an error too, unless the current task itself is
    being cancelled.
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


async def open_connection(url: str, *, heartbeat_s: int | None = None) -> Connection:
    """Connect as `aio_pika.connect` does, but close a connection that fails to open.

    aio-pika leaves that to the garbage collector, which closes it in a new task: a warning, and no task,
    where no event loop runs at that moment.
    """
    connection = Connection(make_url(url, heartbeat=heartbeat_s))
    try:
        await connection.connect()
    except BaseException:
        await connection.close()
        raise
    return connection


class LossEvent(asyncio.Event):
    """An event that can be registered as a close callback and sets itself when it is called."""

    def __call__(self, *_: object) -> None:
        self.set()


class ReconnectingConnection:
    """A connection that a background task opens again whenever it is lost.

    It does not use aio-pika's robust connection, which restores every queue under its old name: the broker
    refuses that for exclusive queues that it still holds for a connection that went silent.
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
        self._lost = LossEvent()  # of the present connection
        self._up = asyncio.Event()
        self._tried = asyncio.Event()
        self._reconnecting: asyncio.Task[NoReturn] | None = None
        self._closed = False

    async def start(self) -> bool:
        """Start to connect, unless started already; return after the first attempt whether it is up."""
        if self._reconnecting is None and not self._closed:
            self._reconnecting = asyncio.create_task(self._reconnect(), name="reconnect to the broker")
        await self._tried.wait()
        return self._up.is_set()

    async def channel(self, *, confirms: bool) -> AbstractChannel:
        """Open a channel.

        Raises:
            BrokerUnavailable: There is no connection at this moment, or it was lost.
        """
        if self._connection is None:
            raise BrokerUnavailable("there is no connection to the broker")
        with mapped_errors():
            await self.check_unblocked()
            async with asyncio.timeout(self._timeout_s):
                channel = self._connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
                await channel.initialize()
                return channel

    async def check_unblocked(self) -> None:
        """Raise `BrokerUnavailable` if the broker has said that it reads nothing from this connection.

        It says so of a connection that publishes while memory or disk are short. Waiting for it would take as
        long as that lasts.
        """
        transport = self._connection and self._connection.transport
        if transport:
            try:
                async with asyncio.timeout(0):
                    await transport.connection.ready()
            except TimeoutError as error:
                raise BrokerUnavailable("the broker is short of memory or disk") from error

    async def suspect(self) -> None:
        """Open the connection anew after a call without an answer, unless the broker has blocked it.

        Until there is a new one, calls fail at once, so that only the first ones wait for nothing.
        """
        try:
            await self.check_unblocked()
        except BrokerUnavailable:
            return
        self._lost.set()

    async def keep_channel(self, prepare: PrepareChannel) -> NoReturn:
        """Open a channel and prepare it, and do so again whenever it is lost.

        It also counts as lost when the broker cancels its consumer.
        """
        logged_error = ""  # the same error is logged once
        while True:
            try:
                await self._up.wait()
                await self._keep_one_channel(prepare)
                logged_error = ""
            except BrokerUnavailable as error:
                if logged_error != (logged_error := str(error)):
                    _log.warning("channel_lost", error=logged_error)
            await asyncio.sleep(self._reconnect_s)

    async def close(self) -> None:
        self._closed = True
        self._tried.set()
        if self._reconnecting is not None:
            await cancel_and_wait(self._reconnecting)

    async def _keep_one_channel(self, prepare: PrepareChannel) -> None:
        channel = await self.channel(confirms=False)
        lost = LossEvent()
        channel.close_callbacks.add(lost)
        try:
            with mapped_errors():
                underlay = await channel.get_underlay_channel()
                underlay.on_consumer_cancel_callbacks.add(lost)
                async with asyncio.timeout(self._timeout_s):
                    await prepare(channel)
            await lost.wait()
        finally:
            await self._close(channel)
        _log.info("channel_closed")

    async def _reconnect(self) -> NoReturn:
        logged_error = ""  # the same error is logged once
        while True:
            try:
                await self._keep_one_connection()
                logged_error = ""
            except Exception as error:  # noqa: BLE001 - every error is a reason to try again
                if logged_error != (logged_error := f"{type(error).__name__}: {error}"):
                    _log.warning("broker_unreachable", error=logged_error)
            self._tried.set()
            await asyncio.sleep(self._reconnect_s)

    async def _keep_one_connection(self) -> None:
        lost = LossEvent()
        with mapped_errors():
            async with asyncio.timeout(self._timeout_s):
                connection = await open_connection(self._url, heartbeat_s=self._heartbeat_s)
        connection.close_callbacks.add(lost)
        try:
            with mapped_errors():
                async with asyncio.timeout(PREPARE_CALLS * self._timeout_s):
                    await self._prepare(connection)
            self._connection, self._lost = connection, lost
            self._up.set()
            self._tried.set()
            _log.info("broker_connected")
            await lost.wait()
            _log.warning("broker_lost")
        finally:
            self._up.clear()
            self._connection = None
            await self._close(connection)

    async def _close(self, opened: AbstractConnection | AbstractChannel) -> None:
        """Close for at most `CLOSE_S`; one that is lost already needs no closing."""
        with suppress(BrokerUnavailable), mapped_errors():
            async with asyncio.timeout(CLOSE_S):
                await opened.close()
