"""Which requests the legacy controllers answer."""

import re

from litestar.datastructures import MutableScopeHeaders
from litestar.types import ASGIApp, Message, Receive, Scope, Send

# Litestar treats `/api/images` and `/api/images/` as one route. A request for the second is routed below this
# prefix, where the legacy controllers are.
SLASHED = "/legacy"

IMAGE = "/api/images/[0-9A-Fa-f-]{36}"
SHARED = re.compile(rf"^(/api/images|{IMAGE}|/accounts/(?:register|login|refresh|logout))/$")
READ_BY_POST = re.compile(rf"^({IMAGE}(?:/download)?)/?$")
GLUED_DOWNLOAD = re.compile(rf"^({IMAGE})download(/?)$")


def with_legacy_addresses(app: ASGIApp) -> ASGIApp:
    """Wrap `app` to route the requests of older clients to the legacy controllers."""

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        path, method = GLUED_DOWNLOAD.sub(r"\1/download\2", scope["path"]), scope["method"]
        scope["path"] = _routed_path(method, path)
        if method in ("GET", "HEAD") or not READ_BY_POST.match(path):
            await app(scope, receive, send)
            return

        async def send_all_methods(message: Message) -> None:
            if message["type"] == "http.response.start":
                _allow_post(MutableScopeHeaders.from_message(message))
            await send(message)

        await app(scope, receive, send_all_methods)

    return routed


def documented_path(path: str) -> str:
    """Return the path of a route as clients write it."""
    return f"{path.removeprefix(SLASHED)}/" if path.startswith(SLASHED) else path


def _allow_post(headers: MutableScopeHeaders) -> None:
    """Name POST too where the answer names the methods of an address: another route answers it."""
    if "allow" in headers:
        methods = {method.strip() for method in headers["allow"].split(",")}
        headers["allow"] = ", ".join(sorted(methods | {"POST"}))


def _routed_path(method: str, path: str) -> str:
    legacy = READ_BY_POST.match(path) if method == "POST" else None
    legacy = legacy or SHARED.match(path)
    return SLASHED + legacy[1] if legacy else path
