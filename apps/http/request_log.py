"""The request log, and the request id that broker and worker pass on."""

import random
import re

import structlog
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, get_contextvars, reset_contextvars

from apps.http.request_measure import WITH_BODY, RequestMeasure, known_method, request_span, route_of
from libs.runtime import tracing

HEADER = b"x-request-id"
CLEAN_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
UNLOGGED = ("/health/",)

log = structlog.get_logger(__name__)


def with_request_log(app: ASGIApp) -> ASGIApp:
    """Wrap `app` to log and measure each request, and to send back its X-Request-ID or a new one.

    The wrapper is outside the routing, so unknown addresses are logged too. The log has the route's template
    instead of the path, because paths contain link tokens.
    """

    async def logged(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        sent = dict(scope["headers"]).get(HEADER, b"").decode("latin-1")
        id_ = sent if CLEAN_ID.match(sent) else _new_id()
        measure = RequestMeasure()
        received = measure.counting(receive) if scope["method"] in WITH_BODY else receive

        async def send_with_id(message: Message) -> None:
            measure.note_sent(message)
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (HEADER, id_.encode())]
            await send(message)

        unbound = bind_contextvars(request_id=id_)
        with request_span(scope, measure) if tracing.is_on() else tracing.OFF:
            try:
                await app(scope, received, send_with_id)
            finally:
                route = route_of(scope)
                took_s = measure.end(known_method(scope), route)
                if not (route or "").startswith(UNLOGGED):
                    log.info(
                        "request",
                        method=scope["method"],
                        route=route or "-",
                        status=measure.status,
                        ms=round(took_s * 1000, 1),
                    )
                reset_contextvars(**unbound)

    return logged


def _new_id() -> str:
    """Return 32 hexadecimal digits. Nothing depends on their secrecy, and the system's generator is slow."""
    return f"{random.getrandbits(128):032x}"


def request_id() -> str:
    """Return the id of the current request."""
    return get_contextvars()["request_id"]
