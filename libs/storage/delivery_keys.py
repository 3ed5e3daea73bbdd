"""Functions over delivery keys: create, find by the id that addresses name, list, revoke."""

import secrets
import string
from typing import ClassVar, cast
from uuid import UUID

from libs.contracts.outcome import Outcome
from libs.storage.database.delivery_tables import DeliveryKey
from libs.storage.database.engine import rows
from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import new_id, now

MAX_KEYS = 20  # of one account
ID_LENGTH = 12  # longer than those of operators' keys can be
SECRET_BYTES = 32
_ID_DIGITS = string.ascii_lowercase + string.digits


class DeliveryKeyError(Exception):
    """A request about a delivery key cannot be fulfilled."""

    code = "delivery_key_error"
    outcome: ClassVar[Outcome] = "refused"


class DeliveryKeyNotFound(DeliveryKeyError):
    """There is no such delivery key, or it belongs to another account."""

    code = "delivery_key_not_found"


class TooManyDeliveryKeys(DeliveryKeyError):
    """The account has reached its limit of delivery keys. Revoke one first."""

    code = "too_many_delivery_keys"


_BY_KEY_ID = Statement(
    DeliveryKey.raw(
        "select k.* from delivery_key k join piccolo_user u on u.id = k.owner"
        " where k.key_id = {} and u.active",
        Slot("key_id"),
    ),
    quick=True,
)


async def create(owner: int, name: str) -> DeliveryKey:
    """Store a new random key.

    Raises:
        TooManyDeliveryKeys: The account has reached its limit.
    """
    if cast("int", await DeliveryKey.count().where(DeliveryKey.owner == owner)) >= MAX_KEYS:
        raise TooManyDeliveryKeys(f"an account may have {MAX_KEYS} delivery keys")
    key = DeliveryKey(
        id=new_id(),
        owner=owner,
        name=name,
        key_id="".join(secrets.choice(_ID_DIGITS) for _ in range(ID_LENGTH)),
        secret=secrets.token_urlsafe(SECRET_BYTES),
        created_at=now(),
    )
    await key.save()
    return key


async def by_key_id(key_id: str) -> DeliveryKey | None:
    """Return the key that addresses name so, if its account is active."""
    return await _BY_KEY_ID.first(DeliveryKey, key_id=key_id)


async def newest_of(owner: int) -> DeliveryKey | None:
    """Return the account's newest key, or None."""
    return await (
        DeliveryKey.objects()
        .where(DeliveryKey.owner == owner)
        .order_by(DeliveryKey.id, ascending=False)
        .first()
    )


async def all_of(owner: int) -> list[DeliveryKey]:
    """Return the account's keys, newest first."""
    return (
        await DeliveryKey.objects()
        .where(DeliveryKey.owner == owner)
        .order_by(DeliveryKey.id, ascending=False)
    )


async def revoke(owner: int, key: UUID) -> None:
    """Delete a key; addresses that it signed open nothing any more.

    Raises:
        DeliveryKeyNotFound: There is none, or it belongs to another account.
    """
    deleted = await rows(
        DeliveryKey.delete()
        .where((DeliveryKey.id == key) & (DeliveryKey.owner == owner))
        .returning(DeliveryKey.id)
    )
    if not deleted:
        raise DeliveryKeyNotFound(f"there is no delivery key {key}")
