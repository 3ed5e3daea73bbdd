"""Upload tokens, with which browsers that are not trusted may upload."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from libs.contracts.enums import Retention
from libs.contracts.tags import Tags
from libs.contracts.views.request_body import Operations, PresetName, RequestBody, WebhookUrl
from libs.imaging.formats import FormatName

MAX_UPLOADS = 10_000
MAX_LIFETIME_S = 7 * 24 * 3600


class UploadTokenRequest(RequestBody, frozen=True, kw_only=True):
    """A new upload token: how many images it may upload, of what kind, and what becomes of them."""

    max_bytes: Annotated[int, Meta(ge=1)] | None = None
    """The size of one file; without it, the limit of this server."""
    formats: Annotated[tuple[FormatName, ...], Meta(min_length=1)] | None = None
    """The formats that are taken, read from the bytes; without it, all that this server accepts."""
    operations: Operations | None = None
    """What to do with each image, in order; after the preset, if there is one."""
    preset: PresetName | None = None
    """A preset whose operations run first, as it is now."""
    retention: Retention | None = None
    """Whether the images are kept; without it, `keep` without operations, else `ephemeral`."""
    result_retention: Retention | None = None
    """Whether the results are kept; without it, as `retention`."""
    tags: Tags | None = None
    """Tags of the images; results have none."""
    webhook_url: WebhookUrl | None = None
    """A URL that receives a signed event when the job of an image ends: http or https."""
    count: Annotated[int, Meta(ge=1, le=MAX_UPLOADS)] = 1
    """How many images may be uploaded."""
    expires_in: Annotated[int, Meta(ge=1, le=MAX_LIFETIME_S)] = 3600
    """Seconds until the token ends."""

    def __post_init__(self) -> None:
        if self.result_retention is not None and self.operations is None and self.preset is None:
            raise ValueError("`result_retention` needs `operations` or a `preset`")


class UploadTokenView(Struct, frozen=True, kw_only=True):
    """An upload token, without the token itself."""

    id: UUID
    """The id by which the token is revoked."""
    prefix: str
    """How the token starts."""
    max_bytes: int
    """The size of one file."""
    formats: Sequence[FormatName] | None
    """The formats that are taken; null for all that this server accepts."""
    operations: Operations | None
    """What is done with each image, in order."""
    retention: Retention | None
    """Whether the images are kept; null for the default."""
    result_retention: Retention | None
    """Whether the results are kept; null: as `retention`."""
    tags: Sequence[str]
    """Tags of the images."""
    webhook_url: str | None
    """A URL that receives a signed event when the job of an image ends."""
    count: int
    """How many images may be uploaded."""
    used: int
    """How many of them are uploaded, or on their way by a direct upload."""
    expires_at: datetime
    """When the token ends."""
    created_at: datetime
    """When the token was created."""


class NewUploadToken(UploadTokenView, frozen=True, kw_only=True):
    """A new upload token; only this answer shows the token."""

    token: str
    """The token itself."""
