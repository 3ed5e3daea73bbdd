"""Functions over API keys: create, find by the key, list, revoke."""

from collections.abc import Sequence
from datetime import UTC, timedelta
from hmac import compare_digest
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, ClassVar, cast
from uuid import UUID

from libs.contracts.outcome import Outcome
from libs.contracts.views.api_keys import ApiKeyRequest
from libs.storage.database.engine import rows
from libs.storage.database.statement import Slot, Statement, loaded
from libs.storage.database.tables import ApiKey, BaseUser, now

MAX_KEYS = 100  # of one account
NOTED_EVERY = timedelta(minutes=1)


class ApiKeyError(Exception):
    """A request about an API key cannot be fulfilled."""

    code = "api_key_error"
    outcome: ClassVar[Outcome] = "refused"


class ApiKeyInvalid(ApiKeyError):
    """There is no such API key: it is mistyped or revoked, or its account is closed."""

    code = "api_key_invalid"


class ApiKeyExpired(ApiKeyError):
    """The API key has expired. Create another."""

    code = "api_key_expired"


class AddressNotAllowed(ApiKeyError):
    """The API key may not be used from this address: it is not in one of the key's networks."""

    code = "address_not_allowed"


class ApiKeyNotFound(ApiKeyError):
    """There is no such API key, or it belongs to another account."""

    code = "api_key_not_found"


class TooManyApiKeys(ApiKeyError):
    """The account has reached its limit of API keys. Revoke one first."""

    code = "too_many_api_keys"


async def create(owner: int, requested: ApiKeyRequest, *, key_id: str, digest: str) -> ApiKey:
    """Store a key by its id and its SHA-256, hex.

    Raises:
        TooManyApiKeys: The account has reached its limit.
    """
    if cast("int", await ApiKey.count().where(ApiKey.owner == owner)) >= MAX_KEYS:
        raise TooManyApiKeys(f"an account may have {MAX_KEYS} API keys")
    key = ApiKey(
        owner=owner,
        name=requested.name,
        key_id=key_id,
        digest=digest,
        scopes=" ".join(sorted(set(requested.scopes))),
        networks=" ".join(str(ip_network(network)) for network in requested.networks),
        expires_at=requested.expires_at and requested.expires_at.astimezone(UTC),
    )
    await key.save()
    return key


async def authenticate(key_id: str, digest: str, address: str) -> tuple[BaseUser, ApiKey]:
    """Return the active account of a key, and the key.

    Raises:
        ApiKeyInvalid: No key has this id and digest, or its account is closed.
        ApiKeyExpired: It has expired.
        AddressNotAllowed: It may not be used from this address.
    """
    found = await _KEY_AND_OWNER(key_id=key_id)
    if not found or not compare_digest(found[0]["digest"], digest):
        raise ApiKeyInvalid("the API key is not valid")
    key, user = _split(found[0])
    if key.expires_at is not None and key.expires_at <= now():
        raise ApiKeyExpired(f"the API key {key_id} has expired; create another")
    if key.networks and not _is_in(key.networks.split(), address):
        raise AddressNotAllowed(f"the API key {key_id} may not be used from {address}")
    return user, key


async def holder(key: UUID) -> BaseUser | None:
    """Return the active account of a key that is still valid, or None."""
    found = await ApiKey.objects().where(ApiKey.id == key).first()
    if found is None or (found.expires_at is not None and found.expires_at <= now()):
        return None
    return await BaseUser.objects().where((BaseUser.id == found.owner) & (BaseUser.active == True)).first()  # noqa: E712


async def note_use(key: ApiKey) -> None:
    """Store that a key is in use, at most once a minute."""
    moment = now()
    await ApiKey.update({ApiKey.last_used_at: moment}).where(
        (ApiKey.id == key.id) & (ApiKey.last_used_at.is_null() | (ApiKey.last_used_at < moment - NOTED_EVERY))
    )


def is_use_noted(key: ApiKey) -> bool:
    """Return whether the use of a key was stored within the last minute."""
    return key.last_used_at is not None and key.last_used_at >= now() - NOTED_EVERY


async def owned_by(owner: int, key: UUID) -> ApiKey:
    """Return the owner's key.

    Raises:
        ApiKeyNotFound: There is none, or it belongs to another account.
    """
    found = await ApiKey.objects().where((ApiKey.id == key) & (ApiKey.owner == owner)).first()
    if found is None:
        raise ApiKeyNotFound(f"there is no API key {key}")
    return found


async def by_id(key: UUID) -> ApiKey:
    """Return a key of any account.

    Raises:
        ApiKeyNotFound: There is none.
    """
    found = await ApiKey.objects().where(ApiKey.id == key).first()
    if found is None:
        raise ApiKeyNotFound(f"there is no API key {key}")
    return found


async def page(owner: int, *, limit: int, after: UUID | None) -> tuple[list[ApiKey], int]:
    """Return at most `limit` keys, newest first, older than `after`; and the count of all."""
    conditions = [ApiKey.owner == owner]
    total = cast("int", await ApiKey.count().where(*conditions))
    if after is not None:
        conditions.append(ApiKey.id < after)
    found = ApiKey.objects().where(*conditions).order_by(ApiKey.id, ascending=False)
    return await found.limit(limit), total


async def revoke(owner: int, key: UUID) -> None:
    """Delete a key; no process accepts it any more.

    Raises:
        ApiKeyNotFound: There is none, or it belongs to another account.
    """
    deleted = await rows(
        ApiKey.delete().where((ApiKey.id == key) & (ApiKey.owner == owner)).returning(ApiKey.id)
    )
    if not deleted:
        raise ApiKeyNotFound(f"there is no API key {key}")


async def revoke_all_of(owner: int) -> None:
    """Delete the keys of an account."""
    await ApiKey.delete().where(ApiKey.owner == owner)


def _is_in(networks: Sequence[str], address: str) -> bool:
    try:
        client = ip_address(address)
    except ValueError:  # a UNIX socket has none
        return False
    mapped = getattr(client, "ipv4_mapped", None)
    return any((mapped or client) in network for network in map(_network, networks))


def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)


def _split(row: dict[str, Any]) -> tuple[ApiKey, BaseUser]:
    key = {name: row.pop(name) for name in _KEY_COLUMNS if name not in ("id", "owner")}
    key |= {"id": row.pop("row_id"), "owner": row["id"]}
    return loaded(ApiKey, key), loaded(BaseUser, row)


_KEY_COLUMNS = [column._meta.name for column in ApiKey.all_columns()]  # pyright: ignore[reportPrivateUsage]
_KEY_AND_OWNER = Statement(
    ApiKey.raw(
        "select u.*, k.id as row_id, k.name, k.key_id, k.digest, k.scopes, k.networks, k.expires_at,"
        " k.last_used_at, k.created_at"
        " from api_key k join piccolo_user u on u.id = k.owner where k.key_id = {} and u.active",
        Slot("key_id"),
    )
)
