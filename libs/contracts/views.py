"""The public shapes of the HTTP API: what a request may say and what an answer holds."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from libs.contracts.edits import EditFields, EditNote, EditOptions, Prompt
from libs.contracts.enums import (
    BatchStatus,
    DeliveryStatus,
    ItemStatus,
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
    """A refresh token. `refresh_token` is used up by its use; as `refresh`, older clients send one again."""

    refresh_token: Annotated[str, Meta(max_length=4096)] | None = None
    refresh: Annotated[str, Meta(max_length=4096)] | None = None

    def __post_init__(self) -> None:
        if (self.refresh_token is None) == (self.refresh is None):
            raise ValueError("send either `refresh_token` or `refresh`")

    @property
    def token(self) -> str:
        return self.refresh_token or self.refresh or ""


class TransformRequest(Request, frozen=True, kw_only=True):
    """Operations, run in order. `retention` is that of the result."""

    operations: Operations
    retention: Retention = Retention.EPHEMERAL
    webhook_url: WebhookUrl | None = None


class EditRequest(Request, EditOptions, frozen=True, kw_only=True):
    """An edit of a stored image; `operations` run over what the model gives. `retention` is the results'."""

    prompt: Prompt
    operations: Operations | None = None
    retention: Retention = Retention.EPHEMERAL
    webhook_url: WebhookUrl | None = None


class ImageFromUrl(Request, EditFields, frozen=True, kw_only=True):
    """An image to be fetched, and what is to be done with it; without a URL a model makes it of the prompt.

    Without operations and prompt it is kept.
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


class Registered(Account, frozen=True, kw_only=True):
    """A new account; older clients look for it in `data`."""

    message: str
    data: Account


class Done(Struct, frozen=True, kw_only=True):
    """What happened, in words."""

    message: str


class Tokens(Struct, frozen=True, kw_only=True):
    """Bearer tokens; `expires_in` is that of the access token, in seconds."""

    access_token: str
    refresh_token: str
    access: str  # the same two, as older clients call them
    refresh: str
    expires_in: int
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme


class EditsUsed(Struct, frozen=True, kw_only=True):
    """What an account used of edits, tokens as the vendor counts them."""

    edits: int  # images asked for: what `per_day` limits
    calls: int
    images: int  # that came
    input_tokens: int
    output_tokens: int
    total_tokens: int


class EditsView(Struct, frozen=True, kw_only=True):
    """What an account may use of edits; days are those of UTC."""

    configured: bool
    per_day: int
    today: EditsUsed
    total: EditsUsed


class UsageView(Struct, frozen=True, kw_only=True):
    """What an account uses of what is limited."""

    stored_bytes: int
    quota_bytes: int
    waiting_jobs: int
    quota_jobs: int
    edits: EditsView


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
    estimated_ready_at: datetime | None  # null: it has failed
    seconds_remaining: int | None
    image_url: str | None  # from here on: what older clients call source_url, md5, format and url
    md5_hash: str
    image_format: str
    detail_url: str
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


class Told(Description, frozen=True, kw_only=True):
    """What a full decode of the image tells, and the edit that made it."""

    edit: EditNote | None = None  # None: no model made it


class Metadata(Told, frozen=True, kw_only=True):
    """What a full decode of the image tells."""

    id: UUID


class ItemView(Struct, frozen=True, kw_only=True):
    """One URL of one row of a batch."""

    id: UUID
    serial_number: int
    product_name: str
    position: int  # in its row, from 1
    input_url: str
    status: ItemStatus
    job_id: UUID | None
    output_id: UUID | None
    output_url: str | None  # opens without a token, as long as the image is there
    error_code: str | None
    error: str | None


class BatchView(Struct, frozen=True, kw_only=True):
    """A CSV upload; `total`, `completed` and `failed` count URLs, each as often as it is named."""

    id: UUID
    request_id: UUID  # the same
    filename: str
    status: BatchStatus
    total: int
    completed: int
    failed: int
    bytes_before: int  # of what was fetched and worked on; a URL named twice counts once
    bytes_after: int
    eta_s: float | None  # at the pace so far; null before the first and after the last
    operations: Operations
    retention: Retention
    webhook_url: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    url: str
    output_url: str
    archive_url: str


class BatchDetail(BatchView, frozen=True, kw_only=True):
    """A batch with its failures by kind, and a page of its items in the order of the file."""

    errors: dict[str, int]  # how many items failed with each code
    items: tuple[ItemView, ...]


class CsvFault(Struct, frozen=True):
    """One thing wrong with a CSV file; `line` counts from 1, `column` is as the header has it."""

    line: int
    column: str | None
    reason: str


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
    faults: tuple[CsvFault, ...] = ()
    request_id: str | None = None


class Health(Struct, frozen=True, kw_only=True):
    """Whether this process can serve; each part is `ok` or says what is wrong."""

    status: Literal["ok", "failing"]
    database: str
    objects: str
    broker: str
    edits: Literal["on", "off"]  # whether there is a model to edit images with; no fault either way
