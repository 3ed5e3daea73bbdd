"""The login of the console: its refresh token is in a cookie that no script can read."""

from contextlib import suppress
from typing import Any

from litestar import Controller, Request, Response, delete, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.exceptions import PermissionDeniedException
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT
from msgspec import Struct

from apps.api.middleware.login_limits import LoginLimits
from apps.api.problems import NotAuthenticated
from apps.api.routes.accounts import log_in, log_out, renew
from libs.auth.tokens import SignatureExpired, SignatureInvalid
from libs.backends import Backends
from libs.contracts.views.accounts import Login, Tokens
from libs.settings import Settings

PATH = "/console/session"
COOKIE = "darkroom_session"
GRACE_S = 10  # a page that is reloaded while it renews its login never sees the new cookie


class ConsoleSession(Struct, frozen=True, kw_only=True):
    """What the page gets to know of its login."""

    access_token: str
    expires_in: int


class Session(Controller):
    """The login of the console."""

    path = PATH
    include_in_schema = False

    @post(status_code=HTTP_200_OK, opt={"limit": "login"})
    async def open(
        self,
        data: JSONBody[Login],
        request: Request[Any, Any, Any],
        backends: NamedDependency[Backends],
        login_limits: NamedDependency[LoginLimits],
    ) -> Response[ConsoleSession]:
        """Log in, and keep the refresh token in the cookie."""
        refuse_cross_site(request)
        login_limits.count(data.username, request)
        return _with_cookie(await log_in(data, request, backends.settings), backends.settings)

    @post("/refresh", status_code=HTTP_200_OK)
    async def refresh(
        self, request: Request[Any, Any, Any], backends: NamedDependency[Backends]
    ) -> Response[ConsoleSession]:
        """Answer with a new access token, and replace the refresh token in the cookie."""
        refuse_cross_site(request)
        token = request.cookies.get(COOKIE)
        if token is None:
            raise NotAuthenticated("there is no login in this browser")
        tokens = await renew(token, backends.settings, grace_s=GRACE_S)
        return _with_cookie(tokens, backends.settings)

    @delete(status_code=HTTP_204_NO_CONTENT)
    async def close(
        self, request: Request[Any, Any, Any], backends: NamedDependency[Backends]
    ) -> Response[None]:
        """End the login, and remove the cookie. One that has ended already is no error."""
        refuse_cross_site(request)
        with suppress(SignatureInvalid, SignatureExpired):
            await log_out(request.cookies.get(COOKIE, ""), backends.settings)
        return Response(None, status_code=HTTP_204_NO_CONTENT, cookies=[_cookie("", 0, backends.settings)])


def refuse_cross_site(request: Request[Any, Any, Any]) -> None:
    """Refuse a request that a browser sends for a page of another origin.

    `SameSite` does not keep out pages of another host of the same site. Programs do not send the header.

    Raises:
        PermissionDeniedException: Another page makes it.
    """
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise PermissionDeniedException("only the console's own page may use its login")


def _with_cookie(tokens: Tokens, settings: Settings) -> Response[ConsoleSession]:
    session = ConsoleSession(access_token=tokens.access_token, expires_in=tokens.expires_in)
    cookie = _cookie(tokens.refresh_token, int(settings.refresh_token_s), settings)
    return Response(session, cookies=[cookie], headers={"Cache-Control": "no-store"})


def _cookie(value: str, max_age_s: int, settings: Settings) -> Cookie:
    return Cookie(
        key=COOKIE,
        value=value,
        path=PATH,
        max_age=max_age_s,
        httponly=True,
        samesite="strict",
        secure=settings.public_url.startswith("https://"),
    )
