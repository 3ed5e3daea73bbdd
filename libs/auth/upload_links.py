"""Signed addresses at which the file of one direct upload is stored."""

from uuid import UUID

from libs.auth.tokens import sign, verify


def sign_upload(secret: str, upload_id: UUID, *, ttl_s: float) -> str:
    """Return a token that stores the file of one upload, for `ttl_s` seconds."""
    return sign(secret, "upload", {"sub": str(upload_id)}, ttl_s=ttl_s)


def verify_upload(secret: str, token: str) -> UUID:
    """Return the upload of a token.

    Raises:
        SignatureExpired, SignatureInvalid: As `verify`.
    """
    return UUID(verify(secret, "upload", token)["sub"])
