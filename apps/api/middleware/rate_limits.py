"""Limits on requests per minute."""

from collections.abc import Sequence
from time import time
from typing import Any, cast

from litestar import Request
from litestar.middleware.rate_limit import CacheObject, RateLimitConfig, RateLimitMiddleware
from litestar.stores.base import Store

from apps.api.middleware.authentication import access_claims
from apps.api.problems import NotAuthenticated
from libs.auth.tokens import SignatureExpired, SignatureInvalid
from libs.settings import Settings

STORE = "rate_limits"
WINDOW_S = 60


class CountingRateLimit(RateLimitMiddleware):
    """Litestar's limit, with the number of requests in its store instead of the list of their times.

    The list takes time in proportion to the limit in every request.
    """

    async def retrieve_cached_history(self, key: str, store: Store) -> CacheObject:
        """Return the requests of the current minute; only the length of their list is used."""
        found, moment = await store.get(key), int(time())
        if found:
            count, reset = map(int, found.split())
            if reset > moment:
                return _counted(count, reset)
        return _counted(0, moment + WINDOW_S)

    async def set_cached_history(self, key: str, cache_object: CacheObject, store: Store) -> None:
        """Count one more request."""
        cache_object.history = _counted(len(cache_object.history) + 1, cache_object.reset).history
        counted = f"{len(cache_object.history)} {cache_object.reset}"
        await store.set(key, counted.encode(), expires_in=WINDOW_S)


def _counted(count: int, reset: int) -> CacheObject:
    requests: Sequence[int] = range(count)
    return CacheObject(history=cast("list[int]", requests), reset=reset)


def rate_limits(settings: Settings) -> list[RateLimitConfig]:
    """Configure the limits of accounts and addresses, and those on logins and registrations."""

    def account_or_address(request: Request[Any, Any, Any]) -> str:
        try:
            return f"user:{access_claims(request, settings)['sub']}"
        except (NotAuthenticated, SignatureInvalid, SignatureExpired):
            return f"address:{_address(request)}"

    return [
        RateLimitConfig(
            ("minute", settings.rate_limit_per_minute),
            exclude=["^/health/", "^/schema", "^/admin"],
            identifier_for_request=account_or_address,
            middleware_class=CountingRateLimit,
            store=STORE,
        ),
        _address_limit("login", settings.login_limit_per_minute),
        _address_limit("register", settings.register_limit_per_minute),
    ]


def _address_limit(kind: str, per_minute: int) -> RateLimitConfig:
    """Limit the requests from one address to the routes that have the option `limit=kind`."""

    async def is_limited(request: Request[Any, Any, Any]) -> bool:
        return request.scope["route_handler"].opt.get("limit") == kind

    def address(request: Request[Any, Any, Any]) -> str:
        return f"{kind}:{_address(request)}"

    return RateLimitConfig(
        ("minute", per_minute),
        check_throttle_handler=is_limited,
        identifier_for_request=address,
        middleware_class=CountingRateLimit,
        store=STORE,
    )


def _address(request: Request[Any, Any, Any]) -> str:
    return request.client.host if request.client else "-"
