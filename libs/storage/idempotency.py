"""Functions over idempotency keys: a repeated request finds what the first one made, or its response.

A request reserves its key, and renews the reservation while it works. The transaction that makes something
binds the key to it, so that what is made and what the key names cannot differ, whatever is killed when.
"""

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from msgspec import Struct
from piccolo.columns.combination import And

from libs.contracts.outcome import Outcome
from libs.storage.database.engine import rows
from libs.storage.database.errors import UniqueViolation
from libs.storage.database.tables import IdempotencyKey, now

KEEP_S = 86_400.0
RESERVED_S = 10.0  # after this without a renewal, the request counts as lost


class IdempotencyError(Exception):
    """The Idempotency-Key of a request cannot be used."""

    code = "idempotency_error"
    outcome: ClassVar[Outcome] = "refused"


class KeyInUse(IdempotencyError):
    """The first request with this Idempotency-Key has not made anything yet."""

    code = "idempotency_key_in_use"


class KeyReused(IdempotencyError):
    """This Idempotency-Key was used before, for a different request."""

    code = "idempotency_key_reused"


class BadKey(IdempotencyError):
    """The Idempotency-Key is empty, too long, or not printable."""

    code = "invalid_request"


class Reservation(Struct, frozen=True):
    """A key that one request holds until it has made something."""

    owner: int
    key: str
    holder: UUID


class Effect(Struct, frozen=True):
    """What the first request made: a job, or another row (an image, a batch, ...), or both."""

    subject: UUID | None
    job: UUID | None


class StoredResponse(Struct, frozen=True):
    """The response to the first request."""

    status_code: int
    headers: str  # JSON
    body: str


async def begin(owner: int, key: str, fingerprint: str) -> Reservation | Effect | StoredResponse:
    """Reserve the key for a new request, or return what an earlier one left.

    Raises:
        KeyInUse: The first request has not made anything yet.
        KeyReused: The first request had another fingerprint.
    """
    mine = (IdempotencyKey.owner == owner) & (IdempotencyKey.key == key)
    await IdempotencyKey.delete().where(mine & (IdempotencyKey.expires_at < now()))
    row = IdempotencyKey(
        owner=owner,
        key=key,
        fingerprint=fingerprint,
        holder=uuid4(),
        expires_at=now() + timedelta(seconds=RESERVED_S),
    )
    try:
        await row.save()
    except UniqueViolation:
        return _left_by(await IdempotencyKey.objects().where(mine).first(), fingerprint)
    return Reservation(owner, key, row.holder)


def _left_by(first: IdempotencyKey | None, fingerprint: str) -> Effect | StoredResponse:
    if first is not None and first.fingerprint != fingerprint:
        raise KeyReused("this Idempotency-Key was used for another request")
    if first is not None and first.status_code is not None:
        return StoredResponse(first.status_code, first.headers or "{}", first.response or "")
    if first is not None and (first.subject or first.job):
        return Effect(first.subject, first.job)
    raise KeyInUse("the first request with this Idempotency-Key is still running")


async def extend(reservation: Reservation) -> None:
    """Renew a reservation for `RESERVED_S`."""
    await IdempotencyKey.update({IdempotencyKey.expires_at: now() + timedelta(seconds=RESERVED_S)}).where(
        _unbound(reservation)
    )


async def bind(
    reservation: Reservation | None, *, subject: UUID | None = None, job: UUID | None = None
) -> None:
    """Bind the key to what the caller's transaction makes; without a reservation do nothing.

    Raises:
        KeyInUse: The reservation ended, and another request has the key; the transaction is void.
    """
    if reservation is None:
        return
    values: dict[Any, Any] = {
        IdempotencyKey.subject: subject,
        IdempotencyKey.job: job,
        IdempotencyKey.expires_at: now() + timedelta(seconds=KEEP_S),
    }
    bound: list[dict[str, Any]] = await (
        IdempotencyKey.update(values).where(_unbound(reservation)).returning(IdempotencyKey.id)
    )
    if not bound:
        raise KeyInUse("another request with this Idempotency-Key runs")


async def finish(reservation: Reservation, *, status_code: int, headers: str, response: str) -> None:
    """Store the response for `KEEP_S`."""
    await IdempotencyKey.update(
        {
            IdempotencyKey.status_code: status_code,
            IdempotencyKey.headers: headers,
            IdempotencyKey.response: response,
            IdempotencyKey.expires_at: now() + timedelta(seconds=KEEP_S),
        }
    ).where(_held_by(reservation))


async def abandon(reservation: Reservation) -> None:
    """Free the key of a request that made nothing, so that the request can be repeated."""
    await IdempotencyKey.delete().where(_unbound(reservation) & IdempotencyKey.status_code.is_null())


async def purge_expired() -> int:
    """Delete expired keys; return how many."""
    purged = await rows(
        IdempotencyKey.delete().where(IdempotencyKey.expires_at < now()).returning(IdempotencyKey.id)
    )
    return len(purged)


def _held_by(reservation: Reservation) -> And:
    return (
        (IdempotencyKey.owner == reservation.owner)
        & (IdempotencyKey.key == reservation.key)
        & (IdempotencyKey.holder == reservation.holder)
    )


def _unbound(reservation: Reservation) -> And:
    return _held_by(reservation) & IdempotencyKey.subject.is_null() & IdempotencyKey.job.is_null()
