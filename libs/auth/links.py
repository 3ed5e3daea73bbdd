"""Signed links: a token that opens one image, or its thumbnail, without a login."""

import time
from datetime import UTC, datetime
from uuid import UUID

from msgspec import Struct

from libs.auth.tokens import SignatureInvalid, sign, sign_permanent, sign_until, verify

DAY_S = 86_400


class LinkTarget(Struct, frozen=True):
    """The image that a link opens."""

    image_id: UUID
    expires_at: datetime | None  # None: valid until the image is deleted


def sign_link(secret: str, image_id: UUID, *, ttl_s: float) -> str:
    """Return a token that opens one image's bytes for `ttl_s` seconds."""
    return sign(secret, "link", {"sub": str(image_id)}, ttl_s=ttl_s)


def sign_permanent_link(secret: str, image_id: UUID) -> str:
    """Return a token that opens one image's bytes until it is deleted; always the same for one image."""
    return sign_permanent(secret, "image", {"sub": str(image_id)})


def verify_link(secret: str, token: str) -> LinkTarget:
    """Return the target of a link of either kind.

    Raises:
        SignatureExpired, SignatureInvalid: As `verify`.
    """
    claims = verify(secret, ("link", "image"), token, expires=False)
    image_id = UUID(claims["sub"])
    if claims["aud"] == "image":
        return LinkTarget(image_id, None)
    if "exp" not in claims:
        raise SignatureInvalid("the link has no expiry")
    return LinkTarget(image_id, datetime.fromtimestamp(claims["exp"], UTC))


def sign_thumbnail(secret: str, image_id: UUID, md5: str) -> str:
    """Return a token that opens the thumbnail of an image's present bytes for one to two days.

    It is the same all day, so that browsers find the thumbnail in their caches.
    """
    expires_at = (int(time.time()) // DAY_S + 2) * DAY_S
    return sign_until(secret, "thumbnail", {"sub": str(image_id), "md5": md5[:8]}, expires_at=expires_at)


def verify_thumbnail(secret: str, token: str) -> UUID:
    """Return the image whose thumbnail a token opens.

    Raises:
        SignatureExpired, SignatureInvalid: As `verify`.
    """
    return UUID(verify(secret, "thumbnail", token)["sub"])
