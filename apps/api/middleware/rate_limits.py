"""Limits on requests per minute."""

from typing import Any

from litestar import Request
from litestar.middleware.rate_limit import RateLimitConfig

from apps.api.middleware.authentication import access_claims
from apps.api.problems import NotAuthenticated
from libs.auth.tokens import SignatureExpired, SignatureInvalid
from libs.settings import Settings

STORE = "rate_limits"


def rate_limits(settings: Settings) -> list[RateLimitConfig]:
    """Configure a limit on all requests of an account or address, and one on logins from an address."""

    def account_or_address(request: Request[Any, Any, Any]) -> str:
        try:
            return f"user:{access_claims(request, settings)['sub']}"
        except (NotAuthenticated, SignatureInvalid, SignatureExpired):
            return f"address:{_address(request)}"

    async def is_login(request: Request[Any, Any, Any]) -> bool:
        return bool(request.scope["route_handler"].opt.get("login"))

    def login_address(request: Request[Any, Any, Any]) -> str:
        return f"login:{_address(request)}"

    return [
        RateLimitConfig(
            ("minute", settings.rate_limit_per_minute),
            exclude=["^/health/", "^/schema", "^/admin"],
            identifier_for_request=account_or_address,
            store=STORE,
        ),
        RateLimitConfig(
            ("minute", settings.login_limit_per_minute),
            check_throttle_handler=is_login,
            identifier_for_request=login_address,
            store=STORE,
        ),
    ]


def _address(request: Request[Any, Any, Any]) -> str:
    return request.client.host if request.client else "-"
