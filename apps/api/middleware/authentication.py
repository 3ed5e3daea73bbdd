"""Authentication by access tokens and API keys."""

from base64 import b64decode
from binascii import Error as BadBase64
from typing import Any
from uuid import UUID

from litestar import Request
from litestar.di import NamedDependency

from apps.api.middleware.key_access import key_holder
from apps.api.middleware.stream_access import ticket_holder, ticket_of
from apps.api.middleware.upload_token_access import upload_token_holder, upload_token_of
from apps.api.problems import NotAuthenticated
from libs.auth import api_keys
from libs.auth.tokens import SignatureInvalid, sign, verify
from libs.backends import Backends
from libs.contracts.views.accounts import Tokens
from libs.settings import Settings
from libs.storage import refresh_tokens
from libs.storage.database.tables import BaseUser, RefreshToken

BEARER, BASIC = "bearer", "basic"
HEADER = "x-api-key"


async def caller(request: Request[Any, Any, Any], backends: NamedDependency[Backends]) -> BaseUser:
    """Return the account of the request's access token, API key, upload token or ticket.

    Raises:
        NotAuthenticated: Both are missing, or the login of the token has ended.
        SignatureInvalid, SignatureExpired: The token is not valid.
        ApiKeyInvalid, ApiKeyExpired, AddressNotAllowed: The key is not valid here and now.
        LoginRequired, ScopeMissing: The key may not do this.
        UploadTokenInvalid, UploadTokenExpired, UploadTokenNotAllowed: The upload token is not valid here.
    """
    key = api_key_of(request)
    if key is not None:
        return await key_holder(request, key)
    upload_token = upload_token_of(request)
    if upload_token is not None:
        return await upload_token_holder(request, upload_token)
    ticket = ticket_of(request)
    if ticket is not None:
        return await ticket_holder(request, ticket, backends.settings)
    claims = access_claims(request, backends.settings)
    user = await refresh_tokens.holder(int(claims["sub"]), UUID(claims["family"]))
    if user is None:
        raise NotAuthenticated("this login has ended; log in again")
    return user


def api_key_of(request: Request[Any, Any, Any]) -> str | None:
    """Return the text that the request sends as its API key, or None.

    It is sent as `X-API-Key`, or in the Authorization header as a bearer token or the username of Basic.
    """
    if (sent := request.headers.get(HEADER)) is not None:
        return sent.strip()
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    name = _basic_username(value) if scheme.lower() == BASIC else value.strip()
    return name if api_keys.is_key(name) and scheme.lower() in (BEARER, BASIC) else None


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
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != BEARER or not token.strip():
        raise NotAuthenticated("send an access token or an API key as `Authorization: Bearer ...`")
    return token.strip()


def _basic_username(value: str) -> str:
    try:
        return b64decode(value.strip(), validate=True).decode().partition(":")[0]
    except (BadBase64, ValueError):  # a UnicodeDecodeError too
        return ""


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
