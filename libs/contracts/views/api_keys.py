"""API keys of an account."""

from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from libs.contracts.enums import Scope
from libs.contracts.views.request_body import NO_CONTROLS, RequestBody

KeyName = Annotated[str, Meta(pattern=NO_CONTROLS, min_length=1, max_length=100)]
Network = Annotated[str, Meta(max_length=49, description="an address or a network in CIDR notation")]


class ApiKeyRequest(RequestBody, frozen=True, kw_only=True):
    """A new API key: what it may do, until when, and from which networks."""

    name: KeyName
    """What the key is for."""
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1)]
    """What the key may do."""
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None
    """When the key ends; null for never."""
    networks: Annotated[tuple[Network, ...], Meta(max_length=20)] = ()
    """Addresses and networks that the key works from; none for everywhere."""

    def __post_init__(self) -> None:
        if self.expires_at is not None and self.expires_at <= datetime.now(UTC):
            raise ValueError("`expires_at` is in the past")
        for network in self.networks:
            ip_network(network)


class ApiKeyView(Struct, frozen=True, kw_only=True):
    """An API key, without the key itself. `prefix` is how the key starts."""

    id: UUID
    """The id by which the key is revoked."""
    name: str
    """What the key is for."""
    prefix: str
    """How the key starts."""
    scopes: Sequence[Scope]
    """What the key may do."""
    networks: Sequence[str]
    """Addresses and networks that the key works from; none for everywhere."""
    expires_at: datetime | None
    """When the key ends; null for never."""
    last_used_at: datetime | None
    """When the key was last used, to the minute; null before the first time."""
    created_at: datetime
    """When the key was created."""


class NewApiKey(ApiKeyView, frozen=True, kw_only=True):
    """A new API key; only this answer shows the key."""

    key: str
    """The key itself."""
