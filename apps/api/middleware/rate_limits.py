"""Limits on requests per minute."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import time
from typing import Any

from litestar import Request
from litestar.exceptions import TooManyRequestsException
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from apps.api.middleware.authentication import HEADER, access_claims, api_key_of
from apps.api.middleware.key_owners import KeyOwners, holder_of
from apps.api.middleware.upload_token_access import BY_UPLOAD_TOKEN, upload_token_of
from apps.api.problems import NotAuthenticated
from libs.auth.tokens import SignatureExpired, SignatureInvalid
from libs.auth.upload_tokens import FORM
from libs.settings import Settings

WINDOW_S = 60
UNLIMITED = (b"/health/", b"/schema", b"/admin", b"/console/static/", b"/thumbnails/")
CREDENTIALS = frozenset({b"authorization", HEADER.encode()})


@dataclass(slots=True)
class Minute:
    """The requests of one account or address since its minute began."""

    ends_at: int  # seconds since 1970
    limit: int
    requests: int = 0

    def headers(self) -> dict[str, str]:
        """Return the headers of the IETF draft `draft-ietf-httpapi-ratelimit-headers`."""
        return {
            "RateLimit-Policy": f"{self.limit}; w={WINDOW_S}",
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.limit - self.requests),
            "RateLimit-Reset": str(self.ends_at - int(time())),
        }


class RequestCounts:
    """The current minutes of accounts and addresses, in the memory of this process."""

    def __init__(self) -> None:
        self._minutes: dict[str, Minute] = {}

    def take(self, name: str, limit: int) -> Minute:
        """Count one more request, and return its minute.

        Raises:
            TooManyRequestsException: There were `limit` requests in this minute.
        """
        moment = int(time())
        minute = self._minutes.get(name)
        if minute is None or minute.ends_at <= moment:
            minute = self._minutes[name] = Minute(moment + WINDOW_S, limit)
        if minute.requests >= limit:
            raise TooManyRequestsException(headers=minute.headers())
        minute.requests += 1
        return minute

    def forget_past(self) -> None:
        """Forget the minutes that have ended."""
        moment = time()
        self._minutes = {name: minute for name, minute in self._minutes.items() if minute.ends_at > moment}


class RateLimits:
    """A middleware that limits the requests of accounts and addresses.

    A route with the option `limit="login"` or `limit="register"` also has that limit, of each address.
    Litestar's middleware has one limit; three of them took a fifth of a request's time.
    """

    def __init__(self, settings: Settings, counts: RequestCounts, owners: KeyOwners) -> None:
        self._settings = settings
        self._counts = counts
        self._owners = owners
        self._of_kind: Mapping[str, int] = {
            "login": settings.address_login_limit_per_minute,
            "register": settings.register_limit_per_minute,
        }

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def limited(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["raw_path"].startswith(UNLIMITED):
                await app(scope, receive, send)
                return
            sent = _key_of(scope)
            minute = self._count(scope, sent)

            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    added = [
                        (name.lower().encode(), value.encode()) for name, value in minute.headers().items()
                    ]
                    message["headers"] = [*message["headers"], *added]
                await send(message)

            try:
                await app(scope, receive, send_with_headers)
            finally:
                if sent is not None:
                    self._owners.note(sent, holder_of(scope))

        return limited

    def _count(self, scope: HTTPScope, sent: str | None) -> Minute:
        """Count a request for its account, or for its address without one.

        One with an upload token counts for its address first: strangers must not use up the account's.
        """
        settings, address = self._settings, _address(scope)
        of_token: Minute | None = None
        if sent is not None and FORM.is_claimed_by(sent):
            of_token = self._counts.take(f"upload:{address}", settings.upload_token_limit_per_minute)
        minute = self._counts.take(self._account_or_address(scope, sent), settings.rate_limit_per_minute)
        kind = scope["route_handler"].opt.get("limit")
        if kind is not None:
            self._counts.take(f"{kind}:{address}", self._of_kind[kind])
        return of_token or minute

    def _account_or_address(self, scope: HTTPScope, sent: str | None) -> str:
        if sent is not None:  # an unknown key counts for the address, so that guessing is limited
            owner = self._owners.account_of(sent)
            return f"address:{_address(scope)}" if owner is None else f"user:{owner}"
        if not _may_have_credentials(scope):
            return f"address:{_address(scope)}"
        try:
            return f"user:{access_claims(Request(scope), self._settings)['sub']}"
        except (NotAuthenticated, SignatureInvalid, SignatureExpired):
            return f"address:{_address(scope)}"


def _key_of(scope: HTTPScope) -> str | None:
    """Return the API key or the upload token of a request, or None."""
    if not _may_have_credentials(scope):
        return None
    request: Request[Any, Any, Any] = Request(scope)
    return api_key_of(request) or upload_token_of(request)


def _may_have_credentials(scope: HTTPScope) -> bool:
    """Return whether a request may name an account: links and pages, which do not, need not be parsed."""
    if any(name in CREDENTIALS for name, _ in scope["headers"]):
        return True
    return not BY_UPLOAD_TOKEN.keys().isdisjoint(scope["route_handler"].opt)  # one may be in the query


def _address(scope: HTTPScope) -> str:
    client = scope["client"]
    return client[0] if client else "-"
