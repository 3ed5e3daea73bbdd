"""Links that open an image without a token."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from libs.contracts.views.request_body import RequestBody


class LinkRequest(RequestBody, frozen=True, kw_only=True):
    """The lifetime of a link, in seconds, and the version of the image it opens."""

    expires_in: Annotated[int, Meta(ge=1, le=604_800)] | None = None
    """Seconds until the link ends; without it, `DARKROOM_LINK_S`."""
    version: Literal["latest", "original"] = "latest"
    """`latest` opens the newest result, or the image itself without one; `original` the image."""


class LinkView(Struct, frozen=True, kw_only=True):
    """An address that opens without a token until `expires_at`."""

    url: str
    """The address, which needs no token."""
    expires_at: datetime
    """When it ends: with the image at the latest."""
    expires_in: int
    """Seconds until then."""
