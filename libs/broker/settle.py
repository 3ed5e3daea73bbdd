"""How a message ends: the same rules for every broker."""

import asyncio
from contextlib import AbstractContextManager, nullcontext

import structlog
from msgspec.structs import replace
from structlog.contextvars import bound_contextvars

from libs.broker.errors import DeadLetter
from libs.broker.port import Delivery, Handler
from libs.contracts.topology import Route

MAX_REASON = 1000  # characters; headers travel in one frame

_log = structlog.get_logger(__name__)


def logged_for(delivery: Delivery) -> AbstractContextManager[None]:
    """Have what is logged inside, the handler's lines and the settling's, carry the message's request id."""
    request_id = delivery.headers.get("x-request-id")
    return bound_contextvars(request_id=request_id) if request_id else nullcontext()


async def attempt(handler: Handler, delivery: Delivery, route: Route) -> str | None:
    """Run a handler.

    Returns:
        None when the message is to be acknowledged, else why it is to be dead-lettered.

    Raises:
        asyncio.CancelledError: The consumer stops; the message is to be given back.
    """
    try:
        await handler(delivery)
    except DeadLetter as letter:
        _log.warning("dead_letter", route=route, message_id=delivery.message_id, reason=letter.reason)
        return letter.reason
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return _unexpected(error, delivery, route)  # something the handler awaited was cancelled
    except Exception as error:  # noqa: BLE001 - the consume loop outlives any handler
        return _unexpected(error, delivery, route)
    return None


def dead_headers(route: Route, reason: str) -> dict[str, str]:
    """What is added to the headers of a message that is put aside."""
    text = reason[:MAX_REASON].encode(errors="replace").decode()
    return {"x-error": text, "x-original-route": route.value}


def dead_copy(delivery: Delivery, route: Route, reason: str) -> Delivery:
    """The message as it is put aside."""
    return replace(delivery, headers={**delivery.headers, **dead_headers(route, reason)})


def _unexpected(error: BaseException, delivery: Delivery, route: Route) -> str:
    _log.error("handler_failed", route=route, message_id=delivery.message_id, exc_info=error)
    return f"{type(error).__name__}: {error}"
