"""Read orders from the broker: accept them, or refuse them with a reply and a dead letter."""

import asyncio

import structlog

from libs.backends import Backends
from libs.broker import BrokerMessage, BrokerUnavailable, DeadLetter
from libs.contracts.commands import BadMessage, encode
from libs.contracts.enums import Priority
from libs.contracts.events import OrderRefused
from libs.contracts.orders import decode_order
from libs.contracts.outcome import outcome_of
from libs.contracts.topology import MAX_BODY_BYTES, Route
from libs.contracts.wake_up import job_to_wake
from libs.orders.accept import AcceptOrder, accept_order
from libs.orders.errors import MessageTooLarge
from libs.storage.database.errors import DatabaseUnavailable

RETRY_S = 1.0  # while the database is away
REQUEST_ID_CHARS = 64
BULK = (Route.TRANSFORM_BULK, Route.INGEST_BULK)  # orders on these queues get bulk priority

log = structlog.get_logger(__name__)


async def accept_message(message: BrokerMessage, route: Route, backends: Backends) -> None:
    """Accept the order in a message; wait while the database is unavailable.

    Raises:
        DeadLetter: The message is refused; the sender has its reply.
    """
    try:
        command = read_order(message, route)
        while True:
            try:
                return await accept_order(command, backends)
            except DatabaseUnavailable as error:
                log.warning("order_waits", error=str(error))
            await asyncio.sleep(RETRY_S)
    except Exception as error:
        if outcome_of(error) is None:
            await _refuse(message, "internal_error", "the order could not be accepted", backends)
            raise
        code = getattr(error, "code", "order_refused")
        await _refuse(message, code, str(error), backends)
        raise DeadLetter(f"{code}: {error}") from error


async def requeue(message: BrokerMessage, route: Route, backends: Backends) -> None:
    """Submit a dead letter again; `message.user_id` is its original sender.

    Raises:
        BrokerUnavailable: The letter is a wake-up, and the broker does not take it.
        An error whose outcome is `refused` or `permanent`: Nothing is stored.
    """
    job_id = job_to_wake(message.body)
    if job_id is not None:
        await backends.broker.publish(route, message.body, message_id=str(job_id))
    else:
        await accept_order(read_order(message, route), backends)


def read_order(message: BrokerMessage, route: Route) -> AcceptOrder:
    """Decode a message.

    Raises:
        BadMessage, MessageTooLarge: It is not a valid order.
    """
    size = len(message.body)
    if size > MAX_BODY_BYTES:
        raise MessageTooLarge(f"the message has {size} bytes, the limit is {MAX_BODY_BYTES}")
    order = decode_order(message.body)
    for name in ("message_id", "reply_to", "correlation_id"):
        if not (getattr(message, name) or "x").isprintable():
            raise BadMessage(f"the property {name} contains control characters")
    request_id = message.headers.get("x-request-id")
    return AcceptOrder(
        order=order,
        sender=message.user_id,
        message_id=message.message_id or None,
        reply_to=message.reply_to,
        correlation_id=message.correlation_id,
        request_id=request_id[:REQUEST_ID_CHARS] if request_id else None,
        priority=Priority.BULK if route in BULK else Priority.INTERACTIVE,
    )


async def _refuse(message: BrokerMessage, code: str, text: str, backends: Backends) -> None:
    """Reply to the sender if the message has a `reply_to`."""
    if not message.reply_to:
        return
    refused = OrderRefused(error_code=code, error=text, message_id=message.message_id)
    try:
        await backends.broker.reply(message.reply_to, encode(refused), correlation_id=message.correlation_id)
    except BrokerUnavailable as error:
        log.warning("refusal_not_sent", error=str(error))
