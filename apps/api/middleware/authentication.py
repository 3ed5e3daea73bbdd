"""Authentication by bearer tokens."""

from typing import Any
from uuid import UUID

from litestar import Request
from litestar.di import NamedDependency

from apps.api.problems import NotAuthenticated
from libs.auth.tokens import SignatureInvalid, sign, verify
from libs.backends import Backends
from libs.contracts.views.accounts import Tokens
from libs.settings import Settings
from libs.storage import refresh_tokens
from libs.storage.database.tables import BaseUser, RefreshToken

SCHEME = "bearer "


async def caller(request: Request[Any, Any, Any], backends: NamedDependency[Backends]) -> BaseUser:
    """Return the account of the request's access token.

    Raises:
        NotAuthenticated: The token is missing, or its login has ended.
        SignatureInvalid, SignatureExpired: The token is not valid.
    """
    claims = access_claims(request, backends.settings)
    user = await refresh_tokens.holder(int(claims["sub"]), UUID(claims["family"]))
    if user is None:
        raise NotAuthenticated("this login has ended; log in again")
    return user


def access_claims(request: Request[Any, Any, Any], settings: Settings) -> dict[str, Any]:
    """Return the claims of the access token, verified once per request.

    Raises:
        NotAuthenticated: The token is missing.
        SignatureInvalid, SignatureExpired: The token is not valid.
    """
    claims: dict[str, Any] | None = request.state.get("access_claims")
    if claims is None:
        claims = verify(settings.secret_key, "access", bearer_token(request))
        request.state["access_claims"] = claims
    return claims


def bearer_token(request: Request[Any, Any, Any]) -> str:
    """Return the token of the Authorization header.

    Raises:
        NotAuthenticated: The header is missing or has another scheme.
    """
    header = request.headers.get("authorization", "")
    if not header.lower().startswith(SCHEME):
        raise NotAuthenticated("send the access token as `Authorization: Bearer ...`")
    return header[len(SCHEME) :].strip()


def tokens_for(user_id: int, refresh: RefreshToken, settings: Settings) -> Tokens:
    """Sign an access token and a refresh token for a login."""
    subject = str(user_id)
    return Tokens(
        access_token=sign(
            settings.secret_key,
            "access",
            {"sub": subject, "family": str(refresh.family)},
            ttl_s=settings.access_token_s,
        ),
        refresh_token=sign(
            settings.secret_key,
            "refresh",
            {"sub": subject, "jti": str(refresh.id)},
            ttl_s=settings.refresh_token_s,
        ),
        expires_in=int(settings.access_token_s),
    )


def refresh_claims(token: str, settings: Settings) -> tuple[int, UUID]:
    """Verify a refresh token and return its user and its id.

    Raises:
        SignatureInvalid, SignatureExpired: The token is not valid.
    """
    claims = verify(settings.secret_key, "refresh", token)
    try:
        return int(claims["sub"]), UUID(claims["jti"])
    except (KeyError, ValueError) as error:
        raise SignatureInvalid("the token is not valid") from error
