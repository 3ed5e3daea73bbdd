"""Presets: operations that an account has named."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta, Struct

from libs.contracts.views.request_body import Operations, RequestBody

DeliveredFormat: TypeAlias = Literal["avif", "webp", "jxl", "jpeg", "png", "gif"]
MAX_FORMATS = 6


class PresetRequest(RequestBody, frozen=True, kw_only=True):
    """What a preset says. A `PUT` replaces all of it."""

    operations: Operations
    """What to do with an image, in order."""
    public: bool = False
    """Whether addresses of public images need no signature for it."""
    cache: bool = True
    """Whether its renditions are stored; else each request for one renders it."""
    formats: Annotated[tuple[DeliveredFormat, ...], Meta(max_length=MAX_FORMATS)] = ()
    """What addresses without an extension may get, the best first; none: `DARKROOM_DELIVERY_FORMATS`."""
    fallback: UUID | None = None
    """A kept image that is sent instead of an error."""


class PresetView(Struct, frozen=True, kw_only=True):
    """A preset."""

    name: str
    """Its name, as requests and addresses have it."""
    operations: Operations
    """What is done with an image, in order."""
    public: bool
    """Whether addresses of public images need no signature for it."""
    cache: bool
    """Whether its renditions are stored."""
    formats: Sequence[DeliveredFormat]
    """What addresses without an extension may get, the best first; none: `DARKROOM_DELIVERY_FORMATS`."""
    fallback: UUID | None
    """A kept image that is sent instead of an error."""
    created_at: datetime
    """When the preset was created."""
    updated_at: datetime
    """When it was last replaced."""
