"""Who is calling: bearer tokens in, an account out."""

from typing import Any
from uuid import UUID

from litestar import Request
from litestar.di import NamedDependency

from apps.api.problems import NotAuthenticated
from libs.auth.tokens import SignatureInvalid, sign, verify
from libs.backends import Backends
from libs.contracts.views.accounts import RefreshRequest, Tokens
from libs.settings import Settings
from libs.storage import refresh_tokens
from libs.storage.database.tables import BaseUser, RefreshToken

SCHEME = "bearer "


async def caller(request: Request[Any, Any, Any], backends: NamedDependency[Backends]) -> BaseUser:
    """The account of the request's access token.

    Raises:
        NotAuthenticated, SignatureInvalid, SignatureExpired: There is none; an ended login counts as none.
    """
    claims = access_claims(request, backends.settings)
    user = await refresh_tokens.holder(int(claims["sub"]), UUID(claims["family"]))
    if user is None:
        raise NotAuthenticated("this login has ended; log in again")
    return user


def access_claims(request: Request[Any, Any, Any], settings: Settings) -> dict[str, Any]:
    """What the access token says; read once a request.

    Raises:
        NotAuthenticated, SignatureInvalid, SignatureExpired: There is none that counts.
    """
    known: dict[str, Any] | None = request.state.get("access_claims")
    if known is None:
        known = verify(settings.secret_key, "access", bearer_token(request))
        request.state["access_claims"] = known
    return known


def bearer_token(request: Request[Any, Any, Any]) -> str:
    """The token of the Authorization header.

    Raises:
        NotAuthenticated: The header is missing or of another scheme.
    """
    header = request.headers.get("authorization", "")
    if not header.lower().startswith(SCHEME):
        raise NotAuthenticated("send the access token as `Authorization: Bearer ...`")
    return header[len(SCHEME) :].strip()


def tokens_for(user_id: int, refresh: RefreshToken, settings: Settings) -> Tokens:
    """A pair of tokens for one login."""
    access = sign(
        settings.secret_key,
        "access",
        {"sub": str(user_id), "family": str(refresh.family)},
        ttl_s=settings.access_token_s,
    )
    kept = sign(
        settings.secret_key,
        "refresh",
        {"sub": str(user_id), "jti": str(refresh.id)},
        ttl_s=settings.refresh_token_s,
    )
    return _pair(access, kept, settings)


async def renewed(wanted: RefreshRequest, settings: Settings) -> Tokens:
    """A new pair for a refresh token; older clients go on with the one they have, and get an access token.

    Raises:
        SignatureInvalid, SignatureExpired, TokenError: It is not one of ours, or not good any more.
    """
    user_id, jti = refresh_claims(wanted.token, settings)
    if wanted.refresh is None:
        return tokens_for(user_id, await refresh_tokens.rotate(jti, ttl_s=settings.refresh_token_s), settings)
    pair = tokens_for(user_id, await refresh_tokens.unused(jti), settings)
    return _pair(pair.access_token, wanted.refresh, settings)


def _pair(access: str, refresh: str, settings: Settings) -> Tokens:
    return Tokens(
        access_token=access,
        refresh_token=refresh,
        access=access,
        refresh=refresh,
        expires_in=int(settings.access_token_s),
    )


def refresh_claims(token: str, settings: Settings) -> tuple[int, UUID]:
    """User and id of a refresh token whose signature holds.

    Raises:
        SignatureInvalid, SignatureExpired: It is not one of ours, or its time is over.
    """
    claims = verify(settings.secret_key, "refresh", token)
    try:
        return int(claims["sub"]), UUID(claims["jti"])
    except (KeyError, ValueError) as error:
        raise SignatureInvalid("the token is not valid") from error
