"""The route of the admin pages, which are loaded at the first request."""

import asyncio

import structlog
from litestar import Request, asgi
from litestar.handlers import ASGIRouteHandler
from litestar.response import Redirect
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from apps.api.admin.body_limits import checked_body
from apps.api.uploads.errors import BadUpload
from libs.backends import Backends
from libs.images.thumbnails import Thumbnails
from libs.runtime.threads import MAINTENANCE

SERVER_ERROR = 500
LOGGED_CHARS = 500

log = structlog.get_logger(__name__)


def admin_route(backends: Backends, thumbnails: Thumbnails) -> ASGIRouteHandler:
    """Serve `/admin/`, and redirect `/admin` to it.

    An unexpected error of the pages is raised, so that the API answers it like any other.
    """
    pages = _Pages(backends, thumbnails)
    secure = backends.settings.public_url.startswith("https://")

    @asgi("/admin/", is_mount=True, copy_scope=True)
    async def admin(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["raw_path"].endswith(b"/admin"):  # the page's links are relative to the slash
            await Redirect("admin/").to_asgi_response(app=None, request=Request(scope))(scope, receive, send)
            return

        unforeseen: list[Message] = []

        async def send_guarded(message: Message) -> None:
            if unforeseen or (message["type"] == "http.response.start" and message["status"] == SERVER_ERROR):
                unforeseen.append(message)  # Starlette answers 500, and then raises the error
            else:
                await send(_guarded(message, secure=secure))

        body = await checked_body(scope, receive)
        try:
            await (await pages.loaded())(scope, body, send_guarded)
        except (ValueError, RecursionError) as error:  # Piccolo does not check filters and orders of a list
            log.warning("admin_request_refused", error=repr(error)[:LOGGED_CHARS])
            raise BadUpload("the request has an invalid value") from error
        for message in unforeseen:
            await send(_guarded(message, secure=secure))

    return admin


class _Pages:
    """Loads Piccolo's pages in a thread at the first request.

    They import a second web framework and build a model of each table, which would double the start-up time
    of the API. Most processes never show a page.
    """

    def __init__(self, backends: Backends, thumbnails: Thumbnails) -> None:
        self._parts = (backends, thumbnails)
        self._loading = asyncio.Lock()
        self._pages: ASGIApp | None = None

    async def loaded(self) -> ASGIApp:
        async with self._loading:
            if self._pages is None:
                self._pages = await MAINTENANCE.run(self._load)
        return self._pages

    def _load(self) -> ASGIApp:
        from apps.api.admin.pages import admin_pages

        return admin_pages(*self._parts)


def _guarded(message: Message, *, secure: bool) -> Message:
    """Forbid framing; mark cookies as secure behind HTTPS."""
    if message["type"] != "http.response.start":
        return message
    headers = [(name, value) for name, value in message["headers"] if name != b"set-cookie"]
    cookies = [value for name, value in message["headers"] if name == b"set-cookie"]
    if secure:
        cookies = [value if b"secure" in value.lower() else value + b"; Secure" for value in cookies]
    headers += [(b"set-cookie", value) for value in cookies]
    message["headers"] = [*headers, (b"x-frame-options", b"DENY")]
    return message
