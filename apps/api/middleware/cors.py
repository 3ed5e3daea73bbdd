"""Cross-origin requests of browsers (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from collections.abc import Iterable
from typing import Any, TypeAlias, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from starlette.middleware.cors import CORSMiddleware

from libs.settings import Settings

Headers: TypeAlias = list[tuple[bytes, bytes]]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
EXPOSED = (
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Link",
    "Location",
    "Preference-Applied",
    "RateLimit-Limit",
    "RateLimit-Policy",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
    "X-Total-Count",
    "X-Total-Count-Relation",
)
PREFLIGHT_S = 7200  # the longest that Chromium keeps a preflight
ANY = "*"
ORIGIN, VARY = b"origin", b"vary"


def with_cors(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Let pages of the origins of the settings call `app`, without cookies; no origin: return `app`.

    Starlette answers preflights. Its middleware takes 5 microseconds for any other request, this one a third:
    what answers get is made once for each origin. Every answer says that it varies with the origin, because a
    cache must not give a page what it has kept for a request without one.
    """
    origins = settings.cors_origins
    if not origins:
        return app
    preflights: Any = CORSMiddleware(
        cast("Any", app),
        allow_origins=origins,
        allow_methods=METHODS,
        allow_headers=["*"],
        max_age=PREFLIGHT_S,
    )
    of_origin = {origin.encode(): _allowing(origin) for origin in origins}
    of_others = of_origin.get(ANY.encode(), [])

    async def shared(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        origin = next((value for name, value in scope["headers"] if name == ORIGIN), None)
        if origin is not None and _is_preflight(scope):
            await preflights(scope, receive, send)
            return
        allowing = [] if origin is None else of_origin.get(origin, of_others)

        async def send_shared(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*_varying(message["headers"]), *allowing]
            await send(message)

        await app(scope, receive, send_shared)

    return shared


def _allowing(origin: str) -> Headers:
    return [
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-expose-headers", ", ".join(EXPOSED).encode()),
    ]


def _is_preflight(scope: HTTPScope) -> bool:
    return scope["method"] == "OPTIONS" and any(
        name == b"access-control-request-method" for name, _ in scope["headers"]
    )


def _varying(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers of an answer that varies with the origin, in one line: some caches read only one."""
    found: Headers = list(headers)
    others = [value for name, value in found if name == VARY]
    if not others:
        found.append((VARY, b"Origin"))
        return found
    merged = (VARY, b", ".join([*others, b"Origin"]))
    return [*((name, value) for name, value in found if name != VARY), merged]
