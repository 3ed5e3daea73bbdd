"""Functions over refresh tokens: rotation with reuse detection."""

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from libs.contracts.outcome import Outcome
from libs.storage import accounts
from libs.storage.database.connection import transaction
from libs.storage.database.engine import rows
from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import BaseUser, RefreshToken, new_id, now

USER_AGENT_CHARS = 200


class TokenError(Exception):
    """The token is unknown or revoked."""

    code = "token_invalid"
    outcome: ClassVar[Outcome] = "refused"


class TokenExpired(TokenError):
    """The token has expired. Log in, or use the refresh token."""

    code = "token_expired"


class TokenReused(TokenError):
    """The refresh token was used before, so the whole login is revoked. Log in again."""

    code = "token_reused"


async def start_family(user: BaseUser, *, ttl_s: float, user_agent: str | None = None) -> RefreshToken:
    """Create the first refresh token of a new login; its id is also that of the family.

    `user_agent` is what the program says of itself; its first characters are kept.

    Raises:
        BadCredentials: The password has changed since it was checked, or the account was closed.
    """
    first = new_id()
    token = RefreshToken(
        id=first,
        user=user.id,
        family=first,
        expires_at=now() + timedelta(seconds=ttl_s),
        user_agent=user_agent and user_agent[:USER_AGENT_CHARS],
    )
    async with transaction():
        await accounts.note_login(user)
        await token.save()
    return token


async def rotate(jti: UUID, *, ttl_s: float, grace_s: float = 0) -> RefreshToken:
    """Mark a token as used and return the next of its family.

    Within `grace_s` of its first use, a token may be used again: a client that lost the answer has no other.

    Raises:
        TokenReused: It was used before; the whole family is revoked.
        TokenExpired: It has expired.
        TokenError: It is unknown or revoked.
    """
    async with transaction():  # a second use that finds the token used must also find its successor to revoke
        used = await (
            RefreshToken.update({RefreshToken.used_at: now()})
            .where(
                (RefreshToken.id == jti)
                & RefreshToken.used_at.is_null()
                & RefreshToken.revoked_at.is_null()
                & (RefreshToken.expires_at > now())
            )
            .returning(RefreshToken.user, RefreshToken.family, RefreshToken.user_agent)
        )
        used = used or await _used_just_now(jti, grace_s)
        if used:
            token = RefreshToken(**used[0], expires_at=now() + timedelta(seconds=ttl_s))
            await token.save()
            return token
    raise await _refusal(jti)


async def _used_just_now(jti: UUID, grace_s: float) -> list[dict[str, Any]]:
    if not grace_s:
        return []
    columns = (RefreshToken.user, RefreshToken.family, RefreshToken.user_agent)
    return await RefreshToken.select(*columns).where(
        (RefreshToken.id == jti)
        & (RefreshToken.used_at > now() - timedelta(seconds=grace_s))
        & RefreshToken.revoked_at.is_null()
        & (RefreshToken.expires_at > now())
    )


async def unrotated(jti: UUID) -> RefreshToken:
    """Return the first token of a login, without using it.

    Only a login that has never rotated its token may keep it: else a thief of a rotated token could renew it
    unnoticed.

    Raises:
        TokenReused: It was used before; the whole family is revoked.
        TokenExpired: It has expired.
        TokenError: It is unknown, revoked, or not the first of its login.
    """
    token = await (
        RefreshToken.objects()
        .where(
            (RefreshToken.id == jti)
            & RefreshToken.used_at.is_null()
            & RefreshToken.revoked_at.is_null()
            & (RefreshToken.expires_at > now())
        )
        .first()
    )
    if token is None:
        raise await _refusal(jti)
    if token.id != token.family:
        raise TokenError("this login replaces its refresh token at each use; send it as `refresh_token`")
    return token


async def _refusal(jti: UUID) -> TokenError:
    token = await RefreshToken.objects().where(RefreshToken.id == jti).first()
    if token is None or token.revoked_at is not None:
        return TokenError("the refresh token is not valid")
    if token.used_at is not None:
        await revoke_family(token.family)
        return TokenReused("the refresh token was used before; log in again")
    return TokenExpired("the refresh token has expired; log in again")


async def revoke_family(family: UUID) -> None:
    """End a login: its refresh tokens, and its access tokens because each use calls `holder`."""
    await RefreshToken.update({RefreshToken.revoked_at: now()}).where(
        (RefreshToken.family == family) & RefreshToken.revoked_at.is_null()
    )


async def revoke_family_of(jti: UUID) -> None:
    """End the login that a refresh token belongs to; do nothing if it has ended or is unknown."""
    token = await RefreshToken.objects().where(RefreshToken.id == jti).first()
    if token is not None:
        await revoke_family(token.family)


async def revoke_all_of(user_id: int, *, but: UUID | None = None) -> None:
    """End all logins of an account, but one family."""
    others = RefreshToken.user == user_id
    await RefreshToken.update({RefreshToken.revoked_at: now()}).where(
        (others if but is None else others & (RefreshToken.family != but)) & RefreshToken.revoked_at.is_null()
    )


async def holder(user_id: int, family: UUID) -> BaseUser | None:
    """Return the active account of a login; None if the login has ended."""
    return await _HOLDER.first(BaseUser, user_id=user_id, family=family)


async def purge_expired() -> int:
    """Delete expired tokens; return how many."""
    purged = await rows(
        RefreshToken.delete().where(RefreshToken.expires_at < now()).returning(RefreshToken.id)
    )
    return len(purged)


_HOLDER = Statement(
    BaseUser.raw(
        "select * from piccolo_user where id = {} and active and exists"
        " (select 1 from refresh_token where family = {} and revoked_at is null)",
        Slot("user_id"),
        Slot("family"),
    ),
    quick=True,
)
