"""The page of the console, and its files."""

from typing import Any

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from apps.api.console.static_files import ADDRESS, ALWAYS_ASK, StaticFiles, static_file
from libs import __version__
from libs.backends import Backends

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing from elsewhere, and no script or style but those in files of the console."""
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": ALWAYS_ASK,
}


class ConsolePages(Controller):
    """The console: one page, whose script shows a view for each address below `/console/`."""

    include_in_schema = False

    @get("/console", sync_to_thread=False)
    def start(self) -> Redirect:
        """Redirect to the address below which the console is."""
        return Redirect("/console/library")

    @get("/console/{path:path}", sync_to_thread=False)
    def page(
        self,
        request: Request[Any, Any, Any],
        console_files: NamedDependency[StaticFiles],
        backends: NamedDependency[Backends],
    ) -> Response[bytes]:
        """Answer with the page, whatever the view."""
        page = console_files.page(
            "index.html",
            version=__version__,
            max_upload_bytes=str(backends.settings.max_upload_bytes),
            registration=backends.settings.registration,
        )
        return static_file("index.html", page.encode()).response(request, PAGE_HEADERS)

    @get(f"{ADDRESS}/{{digest:str}}/{{path:path}}", sync_to_thread=False)
    def file(
        self,
        digest: FromPath[str],
        path: FromPath[str],
        request: Request[Any, Any, Any],
        console_files: NamedDependency[StaticFiles],
    ) -> Response[bytes]:
        """Answer with a file of the page."""
        return console_files.response(digest, path.lstrip("/"), request)

    @get("/favicon.ico", sync_to_thread=False)
    def favicon(
        self, request: Request[Any, Any, Any], console_files: NamedDependency[StaticFiles]
    ) -> Redirect:
        """Redirect to the icon, for browsers that look for it by themselves."""
        return Redirect(f"{console_files.base}/favicon.svg")
