"""Cross-origin requests of browsers (https://fetch.spec.whatwg.org/#http-cors-protocol)."""

from typing import Any, cast

from litestar.types import ASGIApp
from starlette.middleware.cors import CORSMiddleware

from libs.settings import Settings

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


def with_cors(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Let pages of the origins of the settings call `app`, without cookies; no origin: return `app`."""
    if not settings.cors_origins:
        return app
    wrapped: Any = CORSMiddleware(
        cast("Any", app),
        allow_origins=settings.cors_origins,
        allow_methods=METHODS,
        allow_headers=["*"],
        expose_headers=EXPOSED,
        max_age=PREFLIGHT_S,
    )
    return wrapped
