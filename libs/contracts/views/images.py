"""Images: what a request may ask for, and what an answer holds."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from libs.contracts.edits import EditFields, EditNote, EditOptions, Prompt
from libs.contracts.enums import OnDuplicate, Retention
from libs.contracts.views.request_body import Filename, ImageUrl, Operations, RequestBody, WebhookUrl
from libs.imaging.describe import Description

WireStatus = Literal["pending", "processing", "completed", "failed"]


class TransformRequest(RequestBody, frozen=True, kw_only=True):
    """Operations to run in order. `retention` applies to the result."""

    operations: Operations
    retention: Retention = Retention.EPHEMERAL
    webhook_url: WebhookUrl | None = None


class EditRequest(RequestBody, EditOptions, frozen=True, kw_only=True):
    """An edit of a stored image. `operations` run over the model's images; `retention` is the results'."""

    prompt: Prompt
    operations: Operations | None = None
    retention: Retention = Retention.EPHEMERAL
    webhook_url: WebhookUrl | None = None


class ImageFromUrl(RequestBody, EditFields, frozen=True, kw_only=True):
    """An image to fetch, and what to do with it. Without a URL, a model makes the image from the prompt.

    Without operations and prompt, the fetched image itself is kept.
    """

    image_url: ImageUrl | None = None
    filename: Filename | None = None
    operations: Operations | None = None
    retention: Retention | None = None
    on_duplicate: OnDuplicate = OnDuplicate.STORE
    webhook_url: WebhookUrl | None = None

    def __post_init__(self) -> None:
        EditFields.__post_init__(self)
        if self.image_url is None and self.prompt is None:
            raise ValueError("give an `image_url`, a `prompt`, or both")


class ImagePatch(RequestBody, frozen=True, kw_only=True):
    """Changes to a stored image. `image_url` replaces its bytes."""

    image_url: ImageUrl | None = None
    filename: Filename | None = None
    retention: Retention | None = None


class ImagePut(RequestBody, frozen=True, kw_only=True):
    """The URL of a stored image's new bytes."""

    image_url: ImageUrl
    filename: Filename | None = None
    retention: Retention | None = None


class ImageView(Struct, frozen=True, kw_only=True):
    """A stored image. `status` is that of its newest job; the size is that of the stored pixels."""

    id: UUID
    filename: str
    status: WireStatus
    error_code: str | None
    error: str | None
    format: str
    mime: str
    width: int
    height: int
    frames: int
    size_bytes: int
    md5: str
    phash: str | None  # 16 hex digits; null until the image is described
    parent: UUID | None
    source_url: str | None
    retention: Retention
    first_downloaded_at: datetime | None
    expires_at: datetime | None  # null: kept
    created_at: datetime
    updated_at: datetime
    url: str
    download_url: str
    job_id: UUID | None
    estimated_ready_at: datetime | None  # null: the job failed
    seconds_remaining: int | None
    result: "ImageView | None" = None  # of its newest completed job


class StoredMetadata(Description, frozen=True, kw_only=True):
    """The findings of a full decode of an image, and the edit that made the image."""

    edit: EditNote | None = None  # None: no model made it


class ImageMetadata(StoredMetadata, frozen=True, kw_only=True):
    """The findings of a full decode of an image."""

    id: UUID


class Confirmation(Struct, frozen=True, kw_only=True):
    """A sentence that confirms what was done."""

    message: str
