"""The tables; the same on PostgreSQL and SQLite.

Keys are UUIDv7 made in Python; times are UTC. Indexes and uniqueness over several columns are in the
migrations.
"""

import secrets
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

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

from libs.contracts.enums import (
    BatchStatus,
    DeliveryStatus,
    ImageStatus,
    ItemStatus,
    JobKind,
    JobStatus,
    Priority,
    Retention,
)

__all__ = [
    "BaseUser",
    "Batch",
    "EditCall",
    "EditUsage",
    "HostPause",
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
    "first_id_since",
    "new_id",
    "new_ids",
    "now",
]


def new_id() -> uuid.UUID:
    """Return a UUIDv7 (RFC 9562): ids sort by the time of their creation."""
    return uuid.UUID(int=uuid6.uuid7().int)


def new_ids() -> Iterator[uuid.UUID]:
    """Return an endless iterator of ascending UUIDv7s of this moment (RFC 9562, section 6.2, method 2).

    `new_id` uses a new millisecond for each id: thousands at once would lie in the future.
    """
    head = (time.time_ns() // 10**6) << 80 | 7 << 76
    return (uuid.UUID(int=head | _spread(number)) for number in count(secrets.randbits(73)))


def _spread(number: int) -> int:
    """Place 74 bits around the two bits of the variant."""
    return (number >> 62) << 64 | 0b10 << 62 | number & (1 << 62) - 1


def first_id_since(moment: datetime) -> uuid.UUID:
    """Return the smallest UUIDv7 that could be made at `moment`."""
    return uuid.UUID(int=int(moment.timestamp() * 1000) << 80)


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


class RefreshToken(Table):
    """A refresh token; a login starts a family, and each use adds the next token to it."""

    id = UUID(primary_key=True, default=new_id)  # the token's jti
    user = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    family = UUID(default=new_id)
    expires_at = Timestamptz()
    used_at = Timestamptz(null=True, default=None)
    revoked_at = Timestamptz(null=True, default=None)


class Image(Table):
    """A stored file: an upload, a fetched URL or the result of a job."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    parent: ForeignKey["Image"] = ForeignKey("self", on_delete=OnDelete.set_null, null=True)
    expiry_group = UUID(default=new_id)  # images of one group share their first download and their expiry
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
    retention = Varchar(16, choices=Retention, default=Retention.KEEP)
    first_downloaded_at = Timestamptz(null=True, default=None)
    expires_at = Timestamptz(null=True, default=None)  # null: kept
    created_at = Timestamptz(default=now)
    updated_at = Timestamptz(default=now)


class ImageSource(Table):
    """The validators that a server sent with a fetched image."""

    id = UUID(primary_key=True, default=new_id)
    image = ForeignKey(Image, on_delete=OnDelete.cascade, null=False, unique=True)
    etag = Text(null=True, default=None)
    last_modified = Text(null=True, default=None)


class Batch(Table):
    """A CSV upload."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    filename = Varchar(255)
    operations = JSON(default="[]")
    retention = Varchar(16, choices=Retention, default=Retention.KEEP)
    columns = JSON(default="[]")  # the header row of the file
    status = Varchar(16, choices=BatchStatus, default=BatchStatus.PENDING)
    total = Integer(default=0)  # items: one for each mention of a URL
    completed = Integer(default=0)
    failed = Integer(default=0)
    bytes_before = BigInt(default=0)  # fetched for completed items, each URL once
    bytes_after = BigInt(default=0)
    webhook_url = Text(null=True, default=None)
    created_at = Timestamptz(default=now)
    started_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)


class Job(Table):
    """One piece of work on one image. The row is the truth; a message only wakes a worker."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    kind = Varchar(16, choices=JobKind)
    image = ForeignKey(Image, on_delete=OnDelete.set_null, null=True)
    result = ForeignKey(Image, on_delete=OnDelete.set_null, null=True)
    command = JSON()  # all that a worker needs to know
    priority = Varchar(16, choices=Priority, default=Priority.INTERACTIVE)
    status = Varchar(16, choices=JobStatus, default=JobStatus.QUEUED)
    attempts = Integer(default=0)
    run_after = Timestamptz(default=now)  # when the sweep publishes it, unless a worker has claimed it
    lease_until = Timestamptz(null=True, default=None)
    worker = Varchar(128, null=True, default=None)
    error_code = Varchar(64, null=True, default=None)
    error = Text(null=True, default=None)
    webhook_url = Text(null=True, default=None)
    batch = ForeignKey(Batch, on_delete=OnDelete.set_null, null=True)
    host = Varchar(255, null=True, default=None)  # that a batch's job fetches from
    held = Boolean(default=False)  # queued without a message, until the throttle of its host releases it
    request_id = Varchar(64, null=True, default=None)
    created_at = Timestamptz(default=now)
    started_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)


class EditCall(Table):
    """The paid call of an edit job; without a row, no call was made."""

    id = UUID(primary_key=True)  # the job's
    state = Varchar(16)  # a CallState
    calls = Integer()  # started so far, this one included
    attempt = Integer()  # of the job that started this call
    started_at = Timestamptz(default=now)


class EditUsage(Table):
    """An account's use of edits on one day (UTC)."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    day = Varchar(10)  # 2026-11-22
    edits = Integer(default=0)  # requested images, which the daily limit counts
    calls = Integer(default=0)
    images = Integer(default=0)  # received
    input_tokens = BigInt(default=0)
    output_tokens = BigInt(default=0)
    total_tokens = BigInt(default=0)


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
    status = Varchar(16, choices=ItemStatus, default=ItemStatus.PENDING)
    error_code = Varchar(64, null=True, default=None)
    error = Text(null=True, default=None)
    cells = JSON(null=True, default=None)  # the whole row, on the item of its first URL only


class HostPause(Table):
    """A host that is not contacted until a time, because it sent Retry-After."""

    host = Varchar(255, primary_key=True)
    until = Timestamptz()


class WebhookEndpoint(Table):
    """A URL that receives an account's events."""

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
    """The account's secret, which signs deliveries to a `webhook_url` of a job or batch."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False, unique=True)
    secret = Varchar(128, secret=True)
    previous_secret = Varchar(128, null=True, default=None, secret=True)
    previous_until = Timestamptz(null=True, default=None)


class WebhookDelivery(Table):
    """The delivery of one event to one URL; its id is the webhook-id of every attempt."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    endpoint = ForeignKey(WebhookEndpoint, on_delete=OnDelete.cascade, null=True)
    url = Text()
    target = BigInt(default=0)  # a hash of owner and URL: deliveries with one target share a pace
    event = Varchar(64)
    subject = UUID(null=True, default=None)  # the job, batch or image of the event
    request_id = Varchar(64, null=True, default=None)
    body = Text()
    attempts = Integer(default=0)  # identifies a claim too: each claim adds one
    failures = Integer(default=0)  # since it was queued: the position in the retry schedule
    next_attempt_at = Timestamptz(default=now)  # while it is being sent: the end of its lease
    status = Varchar(16, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    last_status_code = Integer(null=True, default=None)
    last_error = Text(null=True, default=None)
    history = JSON(default="[]")
    created_at = Timestamptz(default=now)
    finished_at = Timestamptz(null=True, default=None)


class WebhookPace(Table):
    """A slow receiver: nothing is sent until a time, and after it one delivery at a time."""

    id = UUID(primary_key=True, default=new_id)
    target = BigInt(unique=True)
    until = Timestamptz()


class IdempotencyKey(Table):
    """The response to a request, returned again when the request is repeated."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    key = Varchar(255)
    fingerprint = Varchar(64)  # SHA-256 of method, path and body
    status_code = Integer(null=True, default=None)  # null: the first request is still running
    headers = JSON(null=True, default=None)
    response = Text(null=True, default=None)
    expires_at = Timestamptz()


class Submission(Table):
    """The receipt of an accepted AMQP order."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    name = Varchar(255, null=True, default=None)  # the sender's name for it; unique for an owner
    job = UUID()  # the order's first job; if it fails, it is the outcome
    outcome = UUID()  # the order's last job: the first one, or one that follows on it
    created_at = Timestamptz(default=now)


class Reply(Table):
    """A reply that is still to be sent to the queue of an order's sender."""

    id = UUID(primary_key=True, default=new_id)
    submission = ForeignKey(Submission, on_delete=OnDelete.cascade, null=False)
    reply_to = Varchar(255)
    correlation_id = Varchar(255, null=True, default=None)
    attempts = Integer(default=0)
    send_after = Timestamptz(default=now)
