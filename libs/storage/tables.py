"""The tables; the same on PostgreSQL and SQLite.

Keys are UUIDv7 made here, times are UTC. Uniqueness over several columns and all indexes stand in the
migrations.
"""

import uuid
from datetime import UTC, datetime

import uuid6
from piccolo.apps.user.tables import BaseUser
from piccolo.columns import (
    JSON,
    UUID,
    BigInt,
    Boolean,
    ForeignKey,
    Integer,
    OnDelete,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.table import Table

from libs.contracts.words import DeliveryStatus, ImageStatus, JobKind, JobStatus, Priority, Retention

__all__ = [
    "BaseUser",
    "Batch",
    "IdempotencyKey",
    "Image",
    "ImageSource",
    "Job",
    "ProductImage",
    "RefreshToken",
    "Reply",
    "Submission",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookPace",
    "WebhookSecret",
    "new_id",
    "now",
]


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): ordered by the time it was made."""
    return uuid.UUID(int=uuid6.uuid7().int)


def now() -> datetime:
    """The time, in UTC, as rows keep it."""
    return datetime.now(UTC)


class RefreshToken(Table):
    """One refresh token; a login starts a family, each use adds the next to it."""

    id = UUID(primary_key=True, default=new_id)  # the token's jti
    user = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    family = UUID(default=new_id)
    expires_at = Timestamptz()
    used_at = Timestamptz(null=True, default=None)
    revoked_at = Timestamptz(null=True, default=None)


class Image(Table):
    """One stored file: an upload, a fetched URL or the result of a job."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    parent: ForeignKey["Image"] = ForeignKey("self", on_delete=OnDelete.set_null, null=True)
    clock = UUID(default=new_id)  # images of one clock share their first download and their end
    filename = Varchar(255)
    source_url = Text(null=True, default=None)
    object_key = Varchar(512)
    format = Varchar(16)
    mime = Varchar(64)
    width = Integer()
    height = Integer()
    frames = Integer(default=1)
    size_bytes = BigInt()
    md5 = Varchar(32)
    phash = BigInt(null=True, default=None)  # 64 bits, signed
    metadata = JSON(null=True, default=None)
    status = Varchar(16, choices=ImageStatus, default=ImageStatus.PENDING)
    error = Text(null=True, default=None)
    retention = Varchar(16, choices=Retention, default=Retention.KEEP)
    first_downloaded_at = Timestamptz(null=True, default=None)
    expires_at = Timestamptz(null=True, default=None)  # null: kept
    created_at = Timestamptz(default=now)
    updated_at = Timestamptz(default=now)


class ImageSource(Table):
    """What the server that an image was fetched from said about that version of it."""

    id = UUID(primary_key=True, default=new_id)
    image = ForeignKey(Image, on_delete=OnDelete.cascade, null=False, unique=True)
    etag = Text(null=True, default=None)
    last_modified = Text(null=True, default=None)


class Batch(Table):
    """A CSV upload."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    filename = Varchar(255)
    status = Varchar(16, default="Pending")
    total = Integer(default=0)
    completed = Integer(default=0)
    failed = Integer(default=0)
    webhook_url = Text(null=True, default=None)
    created_at = Timestamptz(default=now)
    finished_at = Timestamptz(null=True, default=None)


class Job(Table):
    """One change to one image. The row is the truth; a broker's message only wakes a worker."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    kind = Varchar(16, choices=JobKind)
    image = ForeignKey(Image, on_delete=OnDelete.set_null, null=True)
    result = ForeignKey(Image, on_delete=OnDelete.set_null, null=True)
    command = JSON()  # the whole message, to be published again at any time
    priority = Varchar(16, choices=Priority, default=Priority.INTERACTIVE)
    status = Varchar(16, choices=JobStatus, default=JobStatus.QUEUED)
    attempts = Integer(default=0)
    run_after = Timestamptz(default=now)  # when the sweep publishes it, if nobody has taken it by then
    lease_until = Timestamptz(null=True, default=None)
    worker = Varchar(128, null=True, default=None)
    error_code = Varchar(64, null=True, default=None)
    error = Text(null=True, default=None)
    webhook_url = Text(null=True, default=None)
    batch = ForeignKey(Batch, on_delete=OnDelete.set_null, null=True)
    request_id = Varchar(64, null=True, default=None)
    created_at = Timestamptz(default=now)
    started_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)


class ProductImage(Table):
    """One image URL of one row of a batch."""

    id = UUID(primary_key=True, default=new_id)
    batch = ForeignKey(Batch, on_delete=OnDelete.cascade, null=False)
    serial_number = BigInt()
    product_name = Text()
    position = Integer()
    input_url = Text()
    job = ForeignKey(Job, on_delete=OnDelete.set_null, null=True)
    output = ForeignKey(Image, on_delete=OnDelete.set_null, null=True)
    status = Varchar(16, default="Pending")
    error = Text(null=True, default=None)


class WebhookEndpoint(Table):
    """Where an owner wants to be told, and of what."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    url = Text()
    secret = Varchar(128, secret=True)
    previous_secret = Varchar(128, null=True, default=None, secret=True)
    previous_until = Timestamptz(null=True, default=None)  # until then the previous secret signs too
    events = JSON()
    active = Boolean(default=True)
    disabled_reason = Varchar(64, null=True, default=None)
    created_at = Timestamptz(default=now)


class WebhookSecret(Table):
    """What signs notices to addresses that an owner names with a job or a batch."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False, unique=True)
    secret = Varchar(128, secret=True)
    previous_secret = Varchar(128, null=True, default=None, secret=True)
    previous_until = Timestamptz(null=True, default=None)


class WebhookDelivery(Table):
    """One notice on its way to one address; its id is the webhook-id of every attempt."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    endpoint = ForeignKey(WebhookEndpoint, on_delete=OnDelete.cascade, null=True)
    url = Text()
    target = BigInt(default=0)  # a hash of owner and url: what shares a pace
    event = Varchar(64)
    subject = UUID(null=True, default=None)  # the job, batch or image it tells of
    request_id = Varchar(64, null=True, default=None)
    body = Text()
    attempts = Integer(default=0)  # names a claim, too: it grows with each one
    failures = Integer(default=0)  # in a row since it was queued: where it stands in the schedule
    next_attempt_at = Timestamptz(default=now)  # while it is sent: when its lease ends
    status = Varchar(16, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    last_status_code = Integer(null=True, default=None)
    last_error = Text(null=True, default=None)
    history = JSON(default="[]")
    created_at = Timestamptz(default=now)
    finished_at = Timestamptz(null=True, default=None)


class WebhookPace(Table):
    """An address that asked for patience: nothing is sent there until then, and after it one at a time."""

    id = UUID(primary_key=True, default=new_id)
    target = BigInt(unique=True)
    until = Timestamptz()


class IdempotencyKey(Table):
    """The answer once given to a request, to be given again to its repetition."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    key = Varchar(255)
    fingerprint = Varchar(64)  # SHA-256 of method, path and body
    status_code = Integer(null=True, default=None)  # null: the first request is still running
    headers = JSON(null=True, default=None)
    response = Text(null=True, default=None)
    expires_at = Timestamptz()


class Submission(Table):
    """A message from outside that was taken in."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    name = Varchar(255, null=True, default=None)  # what its sender calls it; once an owner
    job = UUID()  # the job it became; its outcome, too, if it fails
    outcome = UUID()  # the last job it leads to, the same or one that follows
    created_at = Timestamptz(default=now)


class Reply(Table):
    """Somebody who waits for the outcome of a submission; gone once told."""

    id = UUID(primary_key=True, default=new_id)
    submission = ForeignKey(Submission, on_delete=OnDelete.cascade, null=False)
    reply_to = Varchar(255)
    correlation_id = Varchar(255, null=True, default=None)
    attempts = Integer(default=0)
    send_after = Timestamptz(default=now)
