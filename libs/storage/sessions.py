"""Functions over sessions: logins of an account that have not ended. No address of a client is stored."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from msgspec import Struct

from libs.contracts.outcome import Outcome
from libs.storage import refresh_tokens
from libs.storage.database.ids import made_at
from libs.storage.database.tables import RefreshToken, now


class SessionNotFound(Exception):
    """The session has ended, or belongs to another account."""

    code = "session_not_found"
    outcome: ClassVar[Outcome] = "refused"


class Session(Struct, frozen=True, kw_only=True):
    """A login, which is a family of refresh tokens."""

    id: UUID
    user_agent: str | None  # what the program said of itself when it logged in
    created_at: datetime
    renewed_at: datetime  # when the newest token was made
    expires_at: datetime  # unless it is renewed


async def of(owner: int) -> list[Session]:
    """Return the sessions of an account, the one that was renewed last first."""
    tokens = await (
        RefreshToken.objects()
        .where(
            (RefreshToken.user == owner)
            & RefreshToken.used_at.is_null()
            & RefreshToken.revoked_at.is_null()
            & (RefreshToken.expires_at > now())
        )
        .order_by(RefreshToken.id, ascending=False)
    )
    newest: dict[UUID, RefreshToken] = {}
    for token in tokens:  # a login has two for a moment, when a token was used twice within its grace
        newest.setdefault(token.family, token)
    return [
        Session(
            id=token.family,
            user_agent=token.user_agent,
            created_at=made_at(token.family),  # the id of its first token
            renewed_at=made_at(token.id),
            expires_at=token.expires_at,
        )
        for token in newest.values()
    ]


async def end(owner: int, session: UUID) -> None:
    """End a session of an account. Its tokens are invalid at once.

    Raises:
        SessionNotFound: The account has no such session.
    """
    if session not in [one.id for one in await of(owner)]:
        raise SessionNotFound(f"there is no session {session}")
    await refresh_tokens.revoke_family(session)
