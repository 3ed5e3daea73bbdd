"""Piccolo's admin pages, extended by the admin API and our own files."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from piccolo_admin.endpoints import create_admin, handle_auth_exception
from piccolo_api.session_auth.middleware import SessionsAuthBackend
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.staticfiles import StaticFiles

from apps.api.admin.admin_api import AdminApi
from apps.api.admin.operators import LoginLimit, Operator
from apps.api.admin.readable import Readable
from apps.api.admin.tables import table_configs
from libs.backends import Backends
from libs.images.thumbnails import Thumbnails

PAGE_FILES = Path(__file__).parent / "page"
PROLONGED_BY = timedelta(minutes=20)  # each request prolongs its session
HEAD = (
    '<link rel="stylesheet" href="./page/admin.css">'
    '<script type="module" src="./page/admin.js"></script></head>'
)


def admin_pages(backends: Backends, thumbnails: Thumbnails) -> Any:  # noqa: ANN401 - an ASGI application of another framework
    """Build the application of `/admin/`."""
    pages = _pages(backends)
    only_operators = partial(
        AuthenticationMiddleware,
        backend=SessionsAuthBackend(auth_table=Operator, admin_only=True, increase_expiry=PROLONGED_BY),
        on_error=handle_auth_exception,  # pyright: ignore[reportArgumentType] - as in Piccolo
    )
    pages.mount("/admin-api", only_operators(AdminApi(backends, thumbnails).application()))
    pages.mount("/page", StaticFiles(directory=PAGE_FILES))
    return Readable(pages)


def _pages(backends: Backends) -> Any:  # noqa: ANN401 - as above
    settings = backends.settings
    host = urlsplit(settings.public_url).hostname
    pages = create_admin(
        tables=table_configs(backends),
        auth_table=Operator,
        auto_include_related=False,
        increase_expiry=PROLONGED_BY,
        rate_limit_provider=LoginLimit(settings.login_limit_per_minute),
        production=settings.public_url.startswith("https://"),
        allowed_hosts=[host] if host else [],
        site_name="Darkroom",
        default_language_code="en",
    )
    assert pages.template.count("</head>") == 1  # noqa: S101 - else our files would not be loaded
    pages.template = pages.template.replace("</head>", HEAD).replace("Piccolo Admin<", "Darkroom<")
    return pages
