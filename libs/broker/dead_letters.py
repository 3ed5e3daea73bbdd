"""Reading and removing dead letters; a message leaves the queue only when it is removed explicitly."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, MutableSequence
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractIncomingMessage
from msgspec.structs import replace

from libs.broker.errors import BrokerUnavailable
from libs.broker.malformed_properties import tolerate_malformed_properties
from libs.broker.port import BrokerMessage
from libs.broker.rabbit_connection import mapped_errors, open_connection
from libs.broker.rabbit_messages import BROKER_HEADERS, SENDER_HEADER, to_broker_message
from libs.contracts.topology import DEAD, OWN_PREFIX, Route

ID_CHARS = 12
CONNECT_S = 10.0
CALL_S = 10.0
ROUTES = frozenset(Route)


class QueuedDeadLetter:
    """A message on the dead-letter queue."""

    def __init__(self, incoming: AbstractIncomingMessage) -> None:
        self._incoming = incoming
        message = to_broker_message(incoming)
        by_the_broker = BROKER_HEADERS[0] in message.headers
        # A worker's copy has its sender in a header; a message that the broker moved still has its user_id.
        # The sender cannot forge the header: workers remove it, and the broker leaves its own headers.
        sender = message.user_id or (None if by_the_broker else message.headers.get(SENDER_HEADER))
        self.message = replace(message, user_id=sender, redelivered=False)
        self.route = _route(str(incoming.headers.get("x-first-death-queue", "")), message)
        self.reason = (
            "lost with its worker too often" if by_the_broker else message.headers.get("x-error", "")
        )
        self.id = _id(message)

    async def remove(self) -> None:
        """Remove the message from the queue."""
        with mapped_errors():
            async with asyncio.timeout(CALL_S):
                await self._incoming.ack()


class MemoryDeadLetter:
    """A dead letter of the broker inside this process."""

    def __init__(self, dead: MutableSequence[BrokerMessage], message: BrokerMessage) -> None:
        self._dead, self.message = dead, message
        self.route = _route("", message)
        self.reason = message.headers.get("x-error", "")
        self.id = _id(message)

    async def remove(self) -> None:
        """Remove the message."""
        self._dead.remove(self.message)


def in_memory(dead: MutableSequence[BrokerMessage], *, limit: int) -> list[MemoryDeadLetter]:
    """Return the oldest dead letters of a `MemoryBroker`, at most `limit`."""
    return [MemoryDeadLetter(dead, message) for message in list(dead)[:limit]]


@asynccontextmanager
async def dead_letters(url: str, *, limit: int) -> AsyncGenerator[list[QueuedDeadLetter]]:
    """Hold the oldest dead letters, at most `limit`; those that are not removed stay in the queue.

    Raises:
        BrokerUnavailable: The broker cannot be reached, or this user has no permission to read the queue.
    """
    tolerate_malformed_properties()
    with mapped_errors():
        async with asyncio.timeout(CONNECT_S):
            connection = await open_connection(url)
    async with connection:
        letters: list[QueuedDeadLetter] = []
        with mapped_errors():
            channel = await connection.channel()
            queue = await channel.get_queue(DEAD, ensure=False)
            while len(letters) < limit:
                incoming = await queue.get(fail=False, timeout=CALL_S)
                if incoming is None:
                    break
                letters.append(QueuedDeadLetter(incoming))
        yield letters


def find(letters: list[QueuedDeadLetter], prefix: str) -> QueuedDeadLetter:
    """Return the letter whose id starts with `prefix`.

    Raises:
        LookupError: There is none, or more than one.
    """
    found = {letter.id: letter for letter in letters if letter.id.startswith(prefix)}
    if len(found) != 1:
        raise LookupError(f"{'no' if not found else 'more than one'} dead letter has the id {prefix}")
    return next(iter(found.values()))


def _route(queue: str, message: BrokerMessage) -> Route:
    """Return the route that the message came by; `TRANSFORM` where that is unknown."""
    for name in (queue.removeprefix(OWN_PREFIX), message.headers.get("x-original-route", "")):
        if name in ROUTES:
            return Route(name)
    return Route.TRANSFORM


def _id(message: BrokerMessage) -> str:
    """Return an id that stays the same each time that the message is read."""
    parts = [message.message_id, message.correlation_id, message.reply_to, message.headers.get("x-error")]
    return hashlib.sha256(repr(parts).encode() + message.body).hexdigest()[:ID_CHARS]


__all__ = ["BrokerUnavailable", "QueuedDeadLetter", "dead_letters", "find"]
