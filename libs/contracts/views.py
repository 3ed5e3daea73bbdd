"""The public shapes of the HTTP API: what a request may say and what an answer holds."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from libs.contracts.words import (
    DeliveryStatus,
    JobKind,
    JobStatus,
    OnDuplicate,
    Priority,
    Retention,
    WebhookEvent,
)
from libs.imaging.describe import Description
from libs.imaging.operations import AnyOperation

# `$` alone would let a line break pass at the end.
Username = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$(?!\n)", min_length=1, max_length=64)]
Email = Annotated[str, Meta(pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+$(?!\n)", max_length=255)]
Password = Annotated[str, Meta(min_length=8, max_length=128)]
NoControls = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)", max_length=255)]
Filename = Annotated[str, Meta(min_length=1, max_length=255)]
ImageUrl = Annotated[str, Meta(min_length=1, description="http, https or data:")]
WebhookUrl = Annotated[str, Meta(min_length=1, description="http or https; told how it ended")]
Operations = tuple[AnyOperation, ...]
WireStatus = Literal["pending", "processing", "completed", "failed"]


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON body; a field that is not ours is refused by name."""


class Register(Request, frozen=True, kw_only=True):
    """A new account."""

    username: Username
    email: Email
    password: Password


class Login(Request, frozen=True, kw_only=True):
    """The email is not needed; clients that send it are welcome."""

    username: NoControls
    password: Annotated[str, Meta(max_length=128)]
    email: str | None = None


class RefreshRequest(Request, frozen=True, kw_only=True):
    """A refresh token, to be used up."""

    refresh_token: Annotated[str, Meta(max_length=4096)]


class TransformRequest(Request, frozen=True, kw_only=True):
    """Operations, run in order. `retention` is that of the result."""

    operations: Operations
    retention: Retention = Retention.EPHEMERAL
    webhook_url: WebhookUrl | None = None


class ImageFromUrl(Request, frozen=True, kw_only=True):
    """An image to be fetched, and what is to be done with it. Without operations it is kept."""

    image_url: ImageUrl
    filename: Filename | None = None
    operations: Operations | None = None
    retention: Retention | None = None
    on_duplicate: OnDuplicate = OnDuplicate.STORE
    webhook_url: WebhookUrl | None = None


class ImagePatch(Request, frozen=True, kw_only=True):
    """What may be changed of a stored image; bytes from another `image_url` take the place of its own."""

    image_url: ImageUrl | None = None
    filename: Filename | None = None
    retention: Retention | None = None


class ImagePut(Request, frozen=True, kw_only=True):
    """Where to fetch a stored image's new bytes from."""

    image_url: ImageUrl
    filename: Filename | None = None
    retention: Retention | None = None


class SearchRequest(Request, frozen=True, kw_only=True):
    """What to look for: the look-alikes of a URL's image, or of a hash."""

    image_url: ImageUrl | None = None
    phash: Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{16}$(?!\n)")] | None = None
    max_distance: Annotated[int, Meta(ge=0, le=64)] = 10
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class LinkRequest(Request, frozen=True, kw_only=True):
    """How long a link opens, in seconds, and what it opens."""

    expires_in: Annotated[int, Meta(ge=1, le=604_800)] | None = None
    version: Literal["latest", "original"] = "latest"


Events = Annotated[tuple[WebhookEvent, ...], Meta(min_length=1)]


class WebhookRequest(Request, frozen=True, kw_only=True):
    """Where to send notices, and of what."""

    url: Annotated[str, Meta(min_length=1)]
    events: Events = tuple(WebhookEvent)


class WebhookPatch(Request, frozen=True, kw_only=True):
    """What may be changed of a webhook; one that is not active gets nothing."""

    url: Annotated[str, Meta(min_length=1)] | None = None
    events: Events | None = None
    active: bool | None = None


class Account(Struct, frozen=True, kw_only=True):
    """Who somebody is here; never the password."""

    id: int
    username: str
    email: str
    last_login: datetime | None


class Tokens(Struct, frozen=True, kw_only=True):
    """Bearer tokens; `expires_in` is that of the access token, in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme


class ImageView(Struct, frozen=True, kw_only=True):
    """A stored image; `status` is that of its newest job, the size is that of the stored pixels."""

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
    phash: str | None  # 16 hex digits; of kept images, and of others once asked for
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
    result: "ImageView | None" = None  # of its newest completed job


class SimilarView(ImageView, frozen=True, kw_only=True):
    """An image that looks like another."""

    distance: int  # bits in which the hashes differ, of 64


class ClusterView(Struct, frozen=True, kw_only=True):
    """Images that look alike, directly or through others."""

    representative: UUID  # the largest
    images: tuple[UUID, ...]
    reclaimable_bytes: int  # of all but the representative


class JobView(Struct, frozen=True, kw_only=True):
    """One change to one image."""

    id: UUID
    kind: JobKind
    status: JobStatus
    image_id: UUID | None
    result_id: UUID | None
    operations: Operations | None
    priority: Priority
    attempts: int
    error_code: str | None
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    url: str
    download_url: str | None


class WebhookView(Struct, frozen=True, kw_only=True):
    """Where notices go; `disabled_reason` is `gone` (it answered 410) or `by_owner`."""

    id: UUID
    url: str
    events: tuple[WebhookEvent, ...]
    active: bool
    disabled_reason: str | None
    previous_secret_until: datetime | None  # until then the secret before the last rotation signs too
    created_at: datetime


class WebhookWithSecret(WebhookView, frozen=True, kw_only=True):
    """A webhook with its new secret, which is shown here and never again."""

    secret: str


class AccountSecret(Struct, frozen=True, kw_only=True):
    """What signs notices to a `webhook_url`."""

    secret: str
    previous_secret_until: datetime | None


class Attempt(Struct, frozen=True, kw_only=True):
    """One attempt at a notice; without a status code nobody answered."""

    at: datetime
    status_code: int | None
    error: str | None
    took_ms: int


class DeliveryView(Struct, frozen=True, kw_only=True):
    """A notice on its way to one address; `id` is its `webhook-id`."""

    id: UUID
    webhook: UUID | None  # null: a webhook_url given with a request
    url: str
    event: str
    subject: UUID | None  # the job, batch or image that it tells of
    request_id: str | None
    status: DeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    last_status_code: int | None
    last_error: str | None
    history: tuple[Attempt, ...]
    created_at: datetime
    finished_at: datetime | None


class DeliveryWithBody(DeliveryView, frozen=True, kw_only=True):
    """A notice with what is sent, to the byte."""

    body: str


class Link(Struct, frozen=True, kw_only=True):
    """An address that opens without a token until `expires_at`."""

    url: str
    expires_at: datetime
    expires_in: int


class Metadata(Description, frozen=True, kw_only=True):
    """What a full decode of the image tells."""

    id: UUID


class Fault(Struct, frozen=True):
    """One thing wrong with a request; `key` names the field."""

    message: str
    key: str | None = None


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as RFC 9457 problem details; `code` is stable, the words are not."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[Fault, ...] = ()
    request_id: str | None = None


class Health(Struct, frozen=True, kw_only=True):
    """Whether this process can serve; each part is `ok` or says what is wrong."""

    status: Literal["ok", "failing"]
    database: str
    objects: str
    broker: str
