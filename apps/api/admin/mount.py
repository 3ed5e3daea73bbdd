"""The address of the admin pages. What they are made of is loaded when somebody first asks for one."""

import asyncio

from litestar import Request, asgi
from litestar.handlers import ASGIRouteHandler
from litestar.response import Redirect
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from libs.backends import Backends
from libs.images.thumbnails import Thumbnails


def admin_route(backends: Backends, thumbnails: Thumbnails) -> ASGIRouteHandler:
    """`/admin/` and the way there."""
    pages = _Pages(backends, thumbnails)
    secure = backends.settings.public_url.startswith("https://")

    @asgi("/admin/", is_mount=True, copy_scope=True)
    async def admin(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["raw_path"].endswith(b"/admin"):  # the page's own addresses are relative to the slash
            await Redirect("admin/").to_asgi_response(app=None, request=Request(scope))(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            await send(_guarded(message, secure=secure))

        await (await pages.loaded())(scope, receive, send_guarded)

    return admin


class _Pages:
    """Piccolo's pages stand on a second web framework, and build a model of each table.

    That is half of what the API would need to start, and most starts never show a page. The thread lets
    other requests go on meanwhile.
    """

    def __init__(self, backends: Backends, thumbnails: Thumbnails) -> None:
        self._parts = (backends, thumbnails)
        self._loading = asyncio.Lock()
        self._pages: ASGIApp | None = None

    async def loaded(self) -> ASGIApp:
        async with self._loading:
            if self._pages is None:
                self._pages = await asyncio.to_thread(self._load)
        return self._pages

    def _load(self) -> ASGIApp:
        from apps.api.admin.pages import admin_pages

        return admin_pages(*self._parts)


def _guarded(message: Message, *, secure: bool) -> Message:
    """Nobody may frame the pages; over HTTPS no cookie goes out without it."""
    if message["type"] != "http.response.start":
        return message
    headers = [(name, value) for name, value in message["headers"] if name != b"set-cookie"]
    cookies = [value for name, value in message["headers"] if name == b"set-cookie"]
    if secure:
        cookies = [one if b"secure" in one.lower() else one + b"; Secure" for one in cookies]
    headers += [(b"set-cookie", one) for one in cookies]
    message["headers"] = [*headers, (b"x-frame-options", b"DENY")]
    return message
