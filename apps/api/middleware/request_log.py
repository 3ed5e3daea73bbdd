"""One log line a request, and an id that follows it through broker and worker."""

import re
import time
from typing import Any
from uuid import uuid4

import structlog
from litestar.datastructures import MutableScopeHeaders
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars, get_contextvars

HEADER = "x-request-id"
CLEAN_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
UNLOGGED = ("/health/",)

log = structlog.get_logger(__name__)


def with_request_log(app: ASGIApp) -> ASGIApp:
    """`app` with a client's X-Request-ID, or one of ours, sent back; logs method, route, status and time.

    It wraps the routing too, so that an address that does not exist is logged like any other. The route is
    logged as it is declared: addresses hold link tokens.
    """

    async def logged(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(HEADER.encode(), b"").decode("latin-1")
        own = given if CLEAN_ID.match(given) else uuid4().hex
        started = time.perf_counter()
        seen: dict[str, Any] = {"status": 500}

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
                MutableScopeHeaders.from_message(message)[HEADER] = own
            await send(message)

        with bound_contextvars(request_id=own):
            try:
                await app(scope, receive, send_with_id)
            finally:
                path = scope.get("path_template") or "-"
                if not path.startswith(UNLOGGED):
                    log.info(
                        "request",
                        method=scope.get("method"),
                        route=path,
                        status=seen["status"],
                        ms=round((time.perf_counter() - started) * 1000, 1),
                    )

    return logged


def request_id() -> str:
    """The id of the request that is being answered."""
    return get_contextvars()["request_id"]
