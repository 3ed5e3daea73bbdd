"""Limits on requests per minute."""

from collections.abc import Mapping
from dataclasses import dataclass
from time import time
from typing import Any

from litestar import Request
from litestar.exceptions import TooManyRequestsException
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from apps.api.middleware.authentication import access_claims, api_key_of
from apps.api.middleware.key_access import known_owner
from apps.api.problems import NotAuthenticated
from libs.auth.tokens import SignatureExpired, SignatureInvalid
from libs.settings import Settings

WINDOW_S = 60
UNLIMITED = (b"/health/", b"/schema", b"/admin")


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

    def __init__(self, settings: Settings, counts: RequestCounts) -> None:
        self._settings = settings
        self._counts = counts
        self._of_kind: Mapping[str, int] = {
            "login": settings.address_login_limit_per_minute,
            "register": settings.register_limit_per_minute,
        }

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def limited(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["raw_path"].startswith(UNLIMITED):
                await app(scope, receive, send)
                return
            minute = self._count(scope)

            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    added = [
                        (name.lower().encode(), value.encode()) for name, value in minute.headers().items()
                    ]
                    message["headers"] = [*message["headers"], *added]
                await send(message)

            await app(scope, receive, send_with_headers)

        return limited

    def _count(self, scope: HTTPScope) -> Minute:
        minute = self._counts.take(self._account_or_address(scope), self._settings.rate_limit_per_minute)
        kind = scope["route_handler"].opt.get("limit")
        if kind is not None:
            self._counts.take(f"{kind}:{_address(scope)}", self._of_kind[kind])
        return minute

    def _account_or_address(self, scope: HTTPScope) -> str:
        request: Request[Any, Any, Any] = Request(scope)
        key = api_key_of(request)
        if key is not None:  # an unknown key counts for the address, so that guessing is limited
            owner = known_owner(key)
            return f"address:{_address(scope)}" if owner is None else f"user:{owner}"
        try:
            return f"user:{access_claims(request, self._settings)['sub']}"
        except (NotAuthenticated, SignatureInvalid, SignatureExpired):
            return f"address:{_address(scope)}"


def _address(scope: HTTPScope) -> str:
    client = scope["client"]
    return client[0] if client else "-"
