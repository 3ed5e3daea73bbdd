"""Addresses that set a new password once: a signed token, bound to the password that it replaces."""

from hashlib import sha256

from msgspec import Struct

from libs.auth.tokens import sign, verify

FINGERPRINT_LENGTH = 32  # hex digits


class PasswordReset(Struct, frozen=True):
    """Whose password a token replaces, and the fingerprint of that password's hash."""

    user_id: int
    fingerprint: str


def sign_reset(secret: str, user_id: int, password_hash: str, *, ttl_s: float) -> str:
    """Return a token that sets a new password while the account has this one; so it works once."""
    return sign(
        secret, "reset", {"sub": str(user_id), "password": fingerprint_of(password_hash)}, ttl_s=ttl_s
    )


def verify_reset(secret: str, token: str) -> PasswordReset:
    """Return what a token may do.

    Raises:
        SignatureExpired, SignatureInvalid: As `verify`.
    """
    claims = verify(secret, "reset", token)
    return PasswordReset(int(claims["sub"]), str(claims["password"]))


def fingerprint_of(password_hash: str) -> str:
    """Return a part of the SHA-256 of a password's hash, which is salted."""
    return sha256(password_hash.encode()).hexdigest()[:FINGERPRINT_LENGTH]
