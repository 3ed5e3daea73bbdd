"""Messages as aio-pika has them, from and to ours; and the declaration of the topology."""

import structlog
from aio_pika import DeliveryMode, ExchangeType, Message
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import ChannelClosed
from aiormq.exceptions import ChannelAccessRefused

from libs.broker.port import Delivery
from libs.broker.settle import dead_headers
from libs.contracts.topology import DEAD, DEAD_ARGUMENTS, EVENTS, JOBS, JOBS_OF, QUEUE_ARGUMENTS, Route

SENDER = "x-original-user-id"
BROKERS_OWN = ("x-death", "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason")
MAX_HEADERS = 16_384  # characters of a sender's headers that a dead letter keeps; all travel in one frame

_log = structlog.get_logger(__name__)


def to_delivery(message: AbstractIncomingMessage) -> Delivery:
    return Delivery(
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
    """Who sent it, as the broker vouches for it: by the property that it checks, or the exchange it came by.

    A message that bound exchanges pass on keeps the name of the one it was published to.
    """
    if message.user_id is not None:
        return message.user_id
    exchange = message.exchange or ""
    return exchange.removeprefix(JOBS_OF) if exchange.startswith(JOBS_OF) else None


def dead_message(message: AbstractIncomingMessage, route: Route, reason: str) -> Message:
    """The copy that is put aside, with its headers as text: not all that can be read can be written.

    Its `expiration` is left out, or it would not stay, and its sender becomes a header: the
    broker takes no message in another user's name.
    """
    headers = {name: _text(value) for name, value in message.headers.items()}
    if sum(len(name) + len(value) for name, value in headers.items()) > MAX_HEADERS:
        headers = {}
    for name in (SENDER, *BROKERS_OWN):  # a stranger may have written anything there
        headers.pop(name, None)
    if (sender := sender_of(message)) is not None:
        headers[SENDER] = sender
    return Message(
        message.body,
        headers={**headers, **dead_headers(route, reason)},
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


async def declare_topology(connection: AbstractConnection) -> None:
    """Make what is missing, twice is fine.

    What exists with other arguments is left as it is. A user who may declare nothing finds what
    others have made.
    """
    exchanges = {JOBS: ExchangeType.DIRECT, EVENTS: ExchangeType.TOPIC, DEAD: ExchangeType.FANOUT}
    for name, kind in exchanges.items():
        try:
            async with connection.channel() as channel:
                await channel.declare_exchange(name, kind, durable=True)
        except ChannelAccessRefused:
            _log.info("nothing_declared", reason="this user of the broker may not")
            return
        except ChannelClosed as error:
            _log.warning("not_declared", exchange=name, error=str(error))
    await _declare_queue(connection, DEAD, DEAD_ARGUMENTS, exchange=DEAD, key="")
    for route in Route:
        await _declare_queue(connection, route.queue, QUEUE_ARGUMENTS, exchange=JOBS, key=route.value)


async def _declare_queue(
    connection: AbstractConnection, name: str, arguments: dict[str, str | int], *, exchange: str, key: str
) -> None:
    try:
        async with connection.channel() as channel:
            queue = await channel.declare_queue(name, durable=True, arguments=dict(arguments))
            await queue.bind(exchange, key)
    except ChannelClosed as error:
        _log.warning("not_declared", queue=name, error=str(error))


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value)
