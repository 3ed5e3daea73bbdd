"""Conversion between aio-pika's messages and `BrokerMessage`, and copies for the dead-letter queue."""

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractIncomingMessage

from libs.broker.port import BrokerMessage
from libs.broker.settlement import dead_letter_headers
from libs.contracts.topology import JOBS_OF, Route

SENDER_HEADER = "x-original-user-id"
BROKER_HEADERS = ("x-death", "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason")
MAX_HEADERS = 16_384  # characters of the sender's headers that a dead letter keeps; all fit into one frame


def to_broker_message(message: AbstractIncomingMessage) -> BrokerMessage:
    return BrokerMessage(
        body=message.body,
        headers={name: _text(value) for name, value in message.headers.items()},
        reply_to=message.reply_to,
        correlation_id=message.correlation_id,
        message_id=message.message_id,
        user_id=sender_of(message),
        content_type=message.content_type,
        redelivered=bool(message.redelivered),
    )


def sender_of(message: AbstractIncomingMessage) -> str | None:
    """Return the sender's user name, but only as the broker guarantees it.

    It comes from the `user_id` property, which the broker checks, or from the name of the exchange that the
    message was published to. A message that bound exchanges pass on keeps the name of that first exchange.
    """
    if message.user_id is not None:
        return message.user_id
    exchange = message.exchange or ""
    return exchange.removeprefix(JOBS_OF) if exchange.startswith(JOBS_OF) else None


def to_dead_letter(message: AbstractIncomingMessage, route: Route, reason: str) -> Message:
    """Return a copy for the dead-letter queue.

    Headers become text, because some values that can be read cannot be written. `expiration` is dropped, so
    that the copy stays in the queue. The sender becomes a header, because the broker rejects a message with
    another user's `user_id`.
    """
    headers = {name: _text(value) for name, value in message.headers.items()}
    if sum(len(name) + len(value) for name, value in headers.items()) > MAX_HEADERS:
        headers = {}
    for name in (SENDER_HEADER, *BROKER_HEADERS):  # the sender may have forged these
        headers.pop(name, None)
    if (sender := sender_of(message)) is not None:
        headers[SENDER_HEADER] = sender
    return Message(
        message.body,
        headers={**headers, **dead_letter_headers(route, reason)},
        content_type=message.content_type,
        content_encoding=message.content_encoding,
        delivery_mode=DeliveryMode.PERSISTENT,
        correlation_id=message.correlation_id,
        reply_to=message.reply_to,
        message_id=message.message_id,
        timestamp=message.timestamp,
        type=message.type,
        app_id=message.app_id,
    )


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value)
