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
        ("minute", per_minute), check_throttle_handler=is_limited, identifier_for_request=address, store=STORE
    )


def _address(request: Request[Any, Any, Any]) -> str:
    return request.client.host if request.client else "-"
