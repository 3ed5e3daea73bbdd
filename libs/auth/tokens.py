"""Signed tokens: who somebody is, and links that open without a password.

Tokens are JSON Web Tokens (RFC 7519) with HS256; `aud` keeps one kind from serving as another.
"""

from datetime import UTC, datetime
from math import ceil
from typing import Any, ClassVar, Literal
from uuid import UUID

import jwt
from jwt.utils import base64url_decode, base64url_encode
from msgspec import Struct

ALGORITHM = "HS256"
Audience = Literal["access", "refresh", "link", "image"]


class SignatureInvalid(Exception):
    """The token is not one of ours, or not of this kind."""

    code = "token_invalid"
    outcome: ClassVar[Literal["transient", "permanent", "refused"]] = "refused"


class SignatureExpired(Exception):
    """The token was ours; its time is over."""

    code = "token_expired"
    outcome: ClassVar[Literal["transient", "permanent", "refused"]] = "refused"


class LinkTarget(Struct, frozen=True):
    """What a link opens."""

    image_id: UUID
    expires_at: datetime | None  # None: as long as the image is there


def sign(secret: str, audience: Audience, claims: dict[str, Any], *, ttl_s: float) -> str:
    """A token of `claims` that holds for `ttl_s` seconds, and on to the end of that second."""
    moment = datetime.now(UTC).timestamp()
    return jwt.encode(
        {**claims, "aud": audience, "iat": int(moment), "exp": ceil(moment + ttl_s)},
        secret,
        algorithm=ALGORITHM,
    )


def verify(secret: str, audience: Audience, token: str, *, ends: bool = True) -> dict[str, Any]:
    """The claims of a token; one that never ends is refused unless told otherwise.

    Raises:
        SignatureExpired: Its time is over.
        SignatureInvalid: Anything else is wrong with it.
    """
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=audience,
            options={"require": ["exp"] if ends else ["sub"]},
        )
        _refuse_other_spellings(token)
    except jwt.ExpiredSignatureError as error:
        raise SignatureExpired("the token has expired") from error
    except (jwt.InvalidTokenError, ValueError) as error:
        raise SignatureInvalid("the token is not valid") from error
    return claims


def sign_link(secret: str, image_id: UUID, *, ttl_s: float) -> str:
    """A token that opens one image's bytes."""
    return sign(secret, "link", {"sub": str(image_id)}, ttl_s=ttl_s)


def sign_lasting_link(secret: str, image_id: UUID) -> str:
    """A token that opens one image's bytes as long as it is there; the same for the same image."""
    return jwt.encode({"sub": str(image_id), "aud": "image"}, secret, algorithm=ALGORITHM)


def verify_link(secret: str, token: str) -> LinkTarget:
    """What the link opens, of either kind.

    Raises:
        SignatureExpired, SignatureInvalid: As `verify`.
    """
    try:
        lasting = verify(secret, "image", token, ends=False)
    except SignatureInvalid:
        claims = verify(secret, "link", token)
        return LinkTarget(UUID(claims["sub"]), datetime.fromtimestamp(claims["exp"], UTC))
    return LinkTarget(UUID(lasting["sub"]), None)


def _refuse_other_spellings(token: str) -> None:
    """The last base64 digit of a signature has spare bits: four spellings decode to the same bytes."""
    signature = token.rpartition(".")[2].encode()
    if base64url_encode(base64url_decode(signature)) != signature:
        raise ValueError("not the spelling that was signed")
