"""Reading what was put aside, for people: nothing leaves the queue unless they say so."""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractIncomingMessage

from libs.broker.amqp import BROKERS_OWN, SENDER, to_delivery
from libs.broker.dial import dial
from libs.broker.errors import BrokerUnavailable
from libs.broker.port import Delivery
from libs.broker.rabbit_connection import unavailable
from libs.broker.unreadable import accept_unreadable_properties
from libs.contracts.topology import DEAD, OWN_PREFIX, Route

ID_CHARS = 12
ROUTES = frozenset(Route)


class DeadLetter:
    """One message that was put aside."""

    def __init__(self, message: AbstractIncomingMessage) -> None:
        self._message = message
        delivery = to_delivery(message)
        by_the_broker = BROKERS_OWN[0] in delivery.headers
        # A worker's copy has its sender in a header; one that the broker moved has its user_id still. The
        # header of a sender's own making is not believed: workers take it away, the broker leaves its mark.
        sender = delivery.user_id or (None if by_the_broker else delivery.headers.get(SENDER))
        self.delivery = Delivery(
            body=delivery.body,
            headers=delivery.headers,
            reply_to=delivery.reply_to,
            correlation_id=delivery.correlation_id,
            message_id=delivery.message_id,
            user_id=sender,
            content_type=delivery.content_type,
        )
        self.route = _route(message, delivery)
        self.reason = (
            "lost with its worker too often" if by_the_broker else delivery.headers.get("x-error", "")
        )
        self.id = _id(delivery)

    async def forget(self) -> None:
        """Take it off the queue."""
        with unavailable():
            await self._message.ack()


@asynccontextmanager
async def dead_letters(url: str, *, limit: int) -> AsyncGenerator[list[DeadLetter]]:
    """The oldest dead letters, at most `limit`, held while inside; all that is not forgotten stays.

    Raises:
        BrokerUnavailable: The broker cannot be reached, or this user may not read them.
    """
    accept_unreadable_properties()
    with unavailable():
        connection = await dial(url)
    async with connection:
        held: list[DeadLetter] = []
        with unavailable():
            channel = await connection.channel()
            queue = await channel.get_queue(DEAD, ensure=False)
            while len(held) < limit and (message := await queue.get(fail=False)) is not None:
                held.append(DeadLetter(message))
        yield held


def find(letters: list[DeadLetter], wanted: str) -> DeadLetter:
    """The letter whose id begins so.

    Raises:
        LookupError: There is none, or more than one.
    """
    found = {letter.id: letter for letter in letters if letter.id.startswith(wanted)}
    if len(found) != 1:
        raise LookupError(f"{'no' if not found else 'more than one'} dead letter has the id {wanted}")
    return next(iter(found.values()))


def _route(message: AbstractIncomingMessage, delivery: Delivery) -> Route:
    """Where it was, as far as that is known."""
    queue = str(message.headers.get("x-first-death-queue", "")).removeprefix(OWN_PREFIX)
    for name in (queue, delivery.headers.get("x-original-route", "")):
        if name in ROUTES:
            return Route(name)
    return Route.TRANSFORM


def _id(delivery: Delivery) -> str:
    """The same for the same letter, whoever looks at it and how often."""
    told = [delivery.message_id, delivery.correlation_id, delivery.reply_to, delivery.headers.get("x-error")]
    return hashlib.sha256(repr(told).encode() + delivery.body).hexdigest()[:ID_CHARS]


__all__ = ["BrokerUnavailable", "DeadLetter", "dead_letters", "find"]
