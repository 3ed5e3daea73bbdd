"""Links that open an image without a token."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from libs.contracts.views.request_body import RequestBody


class LinkRequest(RequestBody, frozen=True, kw_only=True):
    """The lifetime of a link, in seconds, and the version of the image it opens."""

    expires_in: Annotated[int, Meta(ge=1, le=604_800)] | None = None
    version: Literal["latest", "original"] = "latest"


class LinkView(Struct, frozen=True, kw_only=True):
    """An address that opens without a token until `expires_at`."""

    url: str
    expires_at: datetime
    expires_in: int
