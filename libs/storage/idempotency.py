"""Functions over idempotency keys: a repeated request gets the response of the first."""

from datetime import timedelta
from typing import ClassVar, Literal

from libs.storage.database.engine import rows
from libs.storage.database.errors import UniqueViolation
from libs.storage.database.tables import IdempotencyKey, now

KEEP_S = 86_400.0
RUNNING_S = 120.0  # after this the first request counts as lost


class IdempotencyError(Exception):
    """The Idempotency-Key of a request cannot be used."""

    code = "idempotency_error"
    outcome: ClassVar[Literal["transient", "permanent", "refused"]] = "refused"


class KeyInUse(IdempotencyError):
    """The first request with this Idempotency-Key is still running."""

    code = "idempotency_key_in_use"


class KeyReused(IdempotencyError):
    """This Idempotency-Key was used before, for a different request."""

    code = "idempotency_key_reused"


class BadKey(IdempotencyError):
    """The Idempotency-Key is empty, too long, or not printable."""

    code = "invalid_request"


async def begin(owner: int, key: str, fingerprint: str) -> IdempotencyKey | None:
    """Reserve the key for a new request and return None; return the row if a response is stored.

    Raises:
        KeyInUse: The first request is still running.
        KeyReused: The first request had another fingerprint.
    """
    row = IdempotencyKey(
        owner=owner, key=key, fingerprint=fingerprint, expires_at=now() + timedelta(seconds=RUNNING_S)
    )
    mine = (IdempotencyKey.owner == owner) & (IdempotencyKey.key == key)
    await IdempotencyKey.delete().where(mine & (IdempotencyKey.expires_at < now()))
    try:
        await row.save()
    except UniqueViolation:
        first = await IdempotencyKey.objects().where(mine).first()
        if first is None or first.status_code is None:
            raise KeyInUse("the first request with this Idempotency-Key is still running") from None
        if first.fingerprint != fingerprint:
            raise KeyReused("this Idempotency-Key was used for another request") from None
        return first
    return None


async def finish(owner: int, key: str, *, status_code: int, headers: str, response: str) -> None:
    """Store the response for `KEEP_S`."""
    await IdempotencyKey.update(
        {
            IdempotencyKey.status_code: status_code,
            IdempotencyKey.headers: headers,
            IdempotencyKey.response: response,
            IdempotencyKey.expires_at: now() + timedelta(seconds=KEEP_S),
        }
    ).where((IdempotencyKey.owner == owner) & (IdempotencyKey.key == key))


async def abandon(owner: int, key: str) -> None:
    """Release the key of a request that failed, so that the request can be repeated."""
    await IdempotencyKey.delete().where(
        (IdempotencyKey.owner == owner) & (IdempotencyKey.key == key) & IdempotencyKey.status_code.is_null()
    )


async def purge_expired() -> int:
    """Delete expired keys; return how many."""
    purged = await rows(
        IdempotencyKey.delete().where(IdempotencyKey.expires_at < now()).returning(IdempotencyKey.id)
    )
    return len(purged)
