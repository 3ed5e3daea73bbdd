"""Piccolo's admin pages, put together with our own desk, and mounted."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from litestar import Request, asgi
from litestar.response import Redirect
from litestar.types import Message, Receive, Scope, Send
from piccolo_admin.endpoints import create_admin, handle_auth_exception
from piccolo_api.session_auth.middleware import SessionsAuthBackend
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.staticfiles import StaticFiles

from apps.api.admin.desk import Desk
from apps.api.admin.operators import LoginLimit, Operator
from apps.api.admin.tables import table_configs
from libs.backends import Backends
from libs.thumbnails import Thumbnails

OWN_FILES = Path(__file__).parent / "page"
LONGER = timedelta(minutes=20)  # a session in use is prolonged by this
HEAD = (
    '<link rel="stylesheet" href="./own/desk.css"><script type="module" src="./own/desk.js"></script></head>'
)


def admin_routes(backends: Backends, thumbnails: Thumbnails) -> list[Any]:
    """`/admin/` and the way there."""
    settings = backends.settings
    pages = _pages(backends)
    only_operators = partial(
        AuthenticationMiddleware,
        backend=SessionsAuthBackend(auth_table=Operator, admin_only=True, increase_expiry=LONGER),
        on_error=handle_auth_exception,  # pyright: ignore[reportArgumentType] - as Piccolo does itself
    )
    pages.mount("/desk", only_operators(Desk(backends, thumbnails).application()))
    pages.mount("/own", StaticFiles(directory=OWN_FILES))
    secure = settings.public_url.startswith("https://")

    @asgi("/admin/", is_mount=True, copy_scope=True)
    async def admin(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["raw_path"].endswith(b"/admin"):  # the page's own addresses are relative to the slash
            await Redirect("admin/").to_asgi_response(app=None, request=Request(scope))(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            await send(_guarded(message, secure=secure))

        await pages(scope, receive, send_guarded)  # pyright: ignore[reportArgumentType] - the same protocol, typed twice

    return [admin]


def _pages(backends: Backends) -> Any:  # noqa: ANN401 - an ASGI application of another framework
    settings = backends.settings
    host = urlsplit(settings.public_url).hostname
    pages = create_admin(
        tables=table_configs(backends),
        auth_table=Operator,
        auto_include_related=False,
        increase_expiry=LONGER,
        rate_limit_provider=LoginLimit(settings.login_limit_per_minute),
        production=settings.public_url.startswith("https://"),
        allowed_hosts=[host] if host else [],
        site_name="Darkroom",
        default_language_code="en",
    )
    assert pages.template.count("</head>") == 1  # noqa: S101 - or ours would not be loaded
    pages.template = pages.template.replace("</head>", HEAD).replace("Piccolo Admin<", "Darkroom<")
    return pages


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
