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
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1)]
    expires_at: Annotated[datetime, Meta(tz=True)] | None = None  # None: never
    networks: Annotated[tuple[Network, ...], Meta(max_length=20)] = ()  # none: from everywhere

    def __post_init__(self) -> None:
        if self.expires_at is not None and self.expires_at <= datetime.now(UTC):
            raise ValueError("`expires_at` is in the past")
        for network in self.networks:
            ip_network(network)


class ApiKeyView(Struct, frozen=True, kw_only=True):
    """An API key, without the key itself. `prefix` is how the key starts."""

    id: UUID
    name: str
    prefix: str
    scopes: Sequence[Scope]
    networks: Sequence[str]
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


class NewApiKey(ApiKeyView, frozen=True, kw_only=True):
    """A new API key; only this answer shows the key."""

    key: str
