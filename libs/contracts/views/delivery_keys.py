"""Keys that sign addresses of an account's images."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from libs.contracts.views.api_keys import KeyName
from libs.contracts.views.request_body import RequestBody


class DeliveryKeyRequest(RequestBody, frozen=True, kw_only=True):
    """A new delivery key."""

    name: KeyName
    """What the key is for."""


class DeliveryKeyView(Struct, frozen=True, kw_only=True):
    """A delivery key, without its secret."""

    id: UUID
    """The id by which the key is revoked."""
    name: str
    """What the key is for."""
    key: str
    """What addresses name: `/t/{key}.{signature}/...`."""
    created_at: datetime
    """When the key was created."""


class NewDeliveryKey(DeliveryKeyView, frozen=True, kw_only=True):
    """A new delivery key; only this answer shows its secret."""

    secret: str
    """The key of the HMAC-SHA256, as UTF-8."""
