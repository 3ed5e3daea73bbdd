"""Images: what a request may ask for, and what an answer holds."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from libs.contracts.edits import EditFields, EditNote, EditOptions, Prompt
from libs.contracts.enums import OnDuplicate, OnMissingImage, Retention
from libs.contracts.tags import Tags
from libs.contracts.views.request_body import (
    Filename,
    ImageUrl,
    Operations,
    PresetName,
    PresetNames,
    RequestBody,
    WebhookUrl,
)
from libs.imaging.describe import Description
from libs.imaging.geometry import Focus

MAX_BATCHED = 10_000
MAX_ARCHIVED = 1000
WireStatus = Literal["pending", "processing", "completed", "failed"]


class TransformRequest(RequestBody, frozen=True, kw_only=True):
    """Operations to run in order, or a preset, or both. `retention` applies to the result."""

    operations: Operations | None = None
    """What to do, in order; after the preset, if there is one."""
    preset: PresetName | None = None
    """A preset whose operations run first."""
    retention: Retention = Retention.EPHEMERAL
    """Whether the result is kept, or expires after its download."""
    webhook_url: WebhookUrl | None = None
    """A URL that receives a signed event when the job ends: http or https."""

    def __post_init__(self) -> None:
        if self.operations is None and self.preset is None:
            raise ValueError("give `operations`, a `preset`, or both")


class TransformManyRequest(TransformRequest, frozen=True, kw_only=True):
    """Operations to run over each of many images, or a preset, or both."""

    ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=MAX_BATCHED)]
    """The images; one that is named twice counts once."""
    name: Annotated[str, Meta(min_length=1, max_length=255)] = "images"
    """What the batch is called, in lists and in the names of its files."""
    retention: Retention = Retention.KEEP
    """Whether the results are kept, or expire after their download."""
    on_missing_image: OnMissingImage = OnMissingImage.REFUSE
    """What to do if one of the images does not exist: refuse all, or skip it."""
    webhook_url: WebhookUrl | None = None
    """A URL that receives a signed event when the batch ends: http or https."""


class PreviewRequest(RequestBody, frozen=True, kw_only=True):
    """Operations to show the result of, in order, or a preset, or both."""

    operations: Operations | None = None
    """What to do, in order; after the preset, if there is one."""
    preset: PresetName | None = None
    """A preset whose operations run first."""
    draft: bool = False
    """Whether a smaller picture, in another format, is enough; it takes less time."""

    def __post_init__(self) -> None:
        if self.operations is None and self.preset is None:
            raise ValueError("give `operations`, a `preset`, or both")


class ArchiveRequest(RequestBody, frozen=True, kw_only=True):
    """The images of an archive."""

    ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=MAX_ARCHIVED)]
    """The images, in the order of the archive."""
    version: Literal["latest", "original"] = "latest"
    """The newest result of each, or the images themselves; `latest` of one without a result is itself."""


class EditRequest(RequestBody, EditOptions, frozen=True, kw_only=True):
    """An edit of a stored image. `operations` run over the model's images; `retention` is the results'."""

    prompt: Prompt
    """What the model changes."""
    operations: Operations | None = None
    """What to do with the images of the model, in order."""
    retention: Retention = Retention.EPHEMERAL
    """Whether the results are kept, or expire after their download."""
    webhook_url: WebhookUrl | None = None
    """A URL that receives a signed event when the job ends: http or https."""


class ImageFromUrl(RequestBody, EditFields, frozen=True, kw_only=True):
    """An image to fetch, or one that was uploaded directly, and what to do with it.

    Without either, a model makes the image from the prompt. Without operations and prompt, the image itself
    is kept.
    """

    image_url: ImageUrl | None = None
    """The image to fetch: http, https or data:."""
    upload: UUID | None = None
    """The direct upload whose file is the image."""
    filename: Filename | None = None
    """The name of the image; without it, that of the URL or of the upload."""
    operations: Operations | None = None
    """What to do with the image, in order; after the preset, if there is one."""
    preset: PresetName | None = None
    """A preset whose operations run first."""
    retention: Retention | None = None
    """Whether the image is kept; without it, `keep` without operations and prompt, else `ephemeral`."""
    result_retention: Retention | None = None
    """Whether the result is kept; without it, as `retention`."""
    tags: Tags | None = None
    """Tags of the image; results have none."""
    public: bool = False
    """Whether addresses with a public preset open the image without a signature; only if it is kept."""
    renditions: PresetNames = ()
    """Presets that are rendered ahead, so that their first visitor does not wait; only if it is kept."""
    on_duplicate: OnDuplicate = OnDuplicate.STORE
    """`return` uses a kept image with the same bytes instead of storing another."""
    webhook_url: WebhookUrl | None = None
    """A URL that receives a signed event when the job ends: http or https."""

    def __post_init__(self) -> None:
        EditFields.__post_init__(self)
        if self.image_url is not None and self.upload is not None:
            raise ValueError("give either an `image_url` or an `upload`")
        if self.image_url is None and self.upload is None and self.prompt is None:
            raise ValueError("give an `image_url`, an `upload` or a `prompt`")
        works = self.operations is not None or self.preset is not None or self.prompt is not None
        if self.result_retention is not None and not works:
            raise ValueError("`result_retention` needs `operations`, a `preset` or a `prompt`")


class ImagePatch(RequestBody, frozen=True, kw_only=True):
    """Changes to a stored image. `image_url` replaces its bytes."""

    image_url: ImageUrl | None = None
    """The new bytes: http, https or data:."""
    filename: Filename | None = None
    """The new name."""
    retention: Retention | None = None
    """Whether the image is kept from now on."""
    tags: Tags | None = None
    """All tags from now on; an empty list removes them."""
    public: bool | None = None
    """Whether addresses with a public preset open the image without a signature; only if it is kept."""
    focus: Focus | UnsetType | None = UNSET
    """The focal point, which `gravity: "focus"` keeps in view; null removes it. New bytes have none."""

    def __post_init__(self) -> None:
        if self.image_url is not None and self.focus:
            raise ValueError("`focus` is a point of the stored bytes: set it once the new ones are stored")


class ImagePut(RequestBody, frozen=True, kw_only=True):
    """The URL of a stored image's new bytes."""

    image_url: ImageUrl
    """The new bytes: http, https or data:."""
    filename: Filename | None = None
    """The new name; without it, the name stays."""
    retention: Retention | None = None
    """Whether the image is kept from now on."""
    tags: Tags | None = None
    """All tags from now on; without it, the tags stay."""


class ImageView(Struct, frozen=True, kw_only=True):
    """A stored image. `status` is that of its newest job; the size is that of the stored pixels."""

    id: UUID
    """The id of the image."""
    filename: str
    """The name under which it is downloaded."""
    status: WireStatus
    """The state of its newest job; `completed` when nothing is to be done."""
    error_code: str | None
    """Why its newest job failed; one of the codes of errors."""
    error: str | None
    """Why its newest job failed, in words."""
    format: str
    """The format of the file, read from its bytes."""
    mime: str
    """The media type of the file."""
    width: int
    """The width of the stored pixels, before EXIF orientation."""
    height: int
    """The height of the stored pixels, before EXIF orientation."""
    frames: int
    """How many frames an animation has; 1 for a still image."""
    size_bytes: int
    """The size of the file."""
    md5: str
    """The MD5 of the file, which is its `ETag` too."""
    phash: str | None
    """The perceptual hash, 16 hex digits; null until the image is described."""
    has_alpha: bool | None
    """Whether pixels may be transparent; null until the image is described."""
    camera: str | None
    """The maker and model of the camera; null if it is unknown, and until the image is described."""
    blurhash: str | None
    """A placeholder of the upright picture (https://blurha.sh); null until the image is described."""
    tags: tuple[str, ...]
    """The tags of the image."""
    public: bool
    """Whether addresses with a public preset open the image without a signature."""
    focus: Focus | None
    """The focal point, which `gravity: "focus"` keeps in view, as fractions of the upright image."""
    parent: UUID | None
    """The image that this one was made from."""
    source_url: str | None
    """Where the file was fetched from."""
    retention: Retention
    """Whether the image is kept, or expires after its download."""
    first_downloaded_at: datetime | None
    """When the file was first downloaded."""
    expires_at: datetime | None
    """When the image is deleted; null for a kept one."""
    expires_reason: str | None
    """Why it is deleted then, in words; null for a kept one."""
    created_at: datetime
    """When the image was stored."""
    updated_at: datetime
    """When it was last changed."""
    url: str
    """The address of the image."""
    download_url: str
    """The address of its newest result, or of its own file without one."""
    thumbnail_url: str
    """The address of a small picture of it, at most 400 pixels a side; it opens without a token for a day."""
    job_id: UUID | None
    """Its newest job."""
    estimated_ready_at: datetime | None
    """When its newest job is expected to end, or has ended; null if it failed."""
    seconds_remaining: int | None
    """Seconds until then."""
    result: "ImageView | None" = None
    """The result of its newest completed job."""
    downloadable: bool = True
    """Whether `download_url` has a file: not until the newest transform or edit has completed."""
    events_url: str | UnsetType = UNSET
    """The event stream of its newest job, open for ten minutes; only in the answer to an upload token."""


class StoredMetadata(Description, frozen=True, kw_only=True):
    """The findings of a full decode of an image, and the edit that made the image."""

    edit: EditNote | None = None
    """How a model made the image; null for any other."""


class ImageMetadata(StoredMetadata, frozen=True, kw_only=True):
    """The findings of a full decode of an image."""

    id: UUID
    """The id of the image."""


class Confirmation(Struct, frozen=True, kw_only=True):
    """A sentence that confirms what was done."""

    message: str
    """What was done."""
