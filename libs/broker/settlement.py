"""Rules of every broker for acknowledging, returning and dead-lettering messages."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, nullcontext

import structlog
from msgspec.structs import replace
from structlog.contextvars import bound_contextvars

from libs.broker.errors import DeadLetter
from libs.broker.message_spans import processing
from libs.broker.port import BrokerMessage, Handler
from libs.contracts.topology import Route

MAX_REASON = 1000  # characters; all headers share one frame

_log = structlog.get_logger(__name__)


@contextmanager
def received(message: BrokerMessage, route: Route, system: str) -> Generator[None]:
    """Give the handler and the settlement the message's request id, for the log, and its span."""
    request_id = message.headers.get("x-request-id")
    with (
        bound_contextvars(request_id=request_id) if request_id else nullcontext(),
        processing(system, route, message),
    ):
        yield


async def run_handler(handler: Handler, message: BrokerMessage, route: Route) -> str | None:
    """Run a handler.

    Returns:
        None when the message is to be acknowledged, else the reason to dead-letter it.

    Raises:
        asyncio.CancelledError: The consumer stops; the message is to be returned to the queue.
    """
    try:
        await handler(message)
    except DeadLetter as letter:
        _log.warning("dead_letter", route=route, message_id=message.message_id, reason=letter.reason)
        return letter.reason
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return _unexpected(error, message, route)  # something that the handler awaited was cancelled
    except Exception as error:  # noqa: BLE001 - the consumer survives any handler
        return _unexpected(error, message, route)
    return None


def dead_letter_headers(route: Route, reason: str) -> dict[str, str]:
    """Return the headers that a dead letter gets in addition to its own."""
    text = reason[:MAX_REASON].encode(errors="replace").decode()
    return {"x-error": text, "x-original-route": route.value}


def dead_letter_copy(message: BrokerMessage, route: Route, reason: str) -> BrokerMessage:
    """Return the message as a dead letter."""
    return replace(message, headers={**message.headers, **dead_letter_headers(route, reason)})


def _unexpected(error: BaseException, message: BrokerMessage, route: Route) -> str:
    _log.error("handler_failed", route=route, message_id=message.message_id, exc_info=error)
    return f"{type(error).__name__}: {error}"
