"""The tables, the same on PostgreSQL and SQLite.

Primary keys are UUIDv7. Times are UTC. The migrations define all indexes, and the unique
constraints over several columns.
"""

from piccolo.apps.user.tables import BaseUser
from piccolo.columns import (
    JSON,
    UUID,
    BigInt,
    Boolean,
    DoublePrecision,
    ForeignKey,
    Integer,
    OnDelete,
    SmallInt,
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
from libs.storage.database.clock import now
from libs.storage.database.ids import first_id_since, new_id, new_ids

__all__ = [
    "AcceptedOrder",
    "ApiKey",
    "BaseUser",
    "Batch",
    "EditCall",
    "EditUsage",
    "FormerUsername",
    "HostPause",
    "IdempotencyKey",
    "Image",
    "ImageSource",
    "Job",
    "ProductImage",
    "RefreshToken",
    "Reply",
    "SetAside",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookPace",
    "WebhookSecret",
    "first_id_since",
    "new_id",
    "new_ids",
    "now",
]


class FormerUsername(Table):
    """A name that an account had before it was deleted or renamed; no other account gets it."""

    username = Varchar(length=100, primary_key=True)
    account = Integer()  # which may take the name again; 0 after its deletion


class RefreshToken(Table):
    """A refresh token. A login starts a family, and each use of a token adds the next one."""

    id = UUID(primary_key=True, default=new_id)  # the token's jti
    user = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    family = UUID(default=new_id)
    expires_at = Timestamptz()
    used_at = Timestamptz(null=True, default=None)
    revoked_at = Timestamptz(null=True, default=None)
    user_agent = Varchar(200, null=True, default=None)  # of the program that logged in


class ApiKey(Table):
    """A key by which programs act for an account; the key itself is not stored."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    name = Varchar(100)
    key_id = Varchar(12, unique=True)  # the part of the key that is no secret
    digest = Varchar(64, secret=True)  # SHA-256 of the key, hex
    scopes = Varchar(255)  # separated by spaces
    networks = Text(default="")  # separated by spaces; none: from everywhere
    expires_at = Timestamptz(null=True, default=None)
    last_used_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=now)


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
    hash_version = SmallInt(default=1)  # of `phash` and the hashes in `metadata`
    metadata = JSON(null=True, default=None)
    has_alpha = Boolean(null=True, default=None)  # as in `metadata`; null: not described
    camera = Varchar(200, null=True, default=None)  # maker and model of `metadata`
    blurhash = Varchar(40, null=True, default=None)  # as in `metadata`: lists show it
    public = Boolean(default=False)  # whether addresses under /t/ open it without a signature
    focus_x = DoublePrecision(null=True, default=None)  # the focal point, fractions of the upright image
    focus_y = DoublePrecision(null=True, default=None)
    tags = Text(default="[]")  # a JSON list; the database keeps `image_tag` up to date with it
    status = Varchar(16, choices=ImageStatus, default=ImageStatus.PENDING)
    retention = Varchar(16, choices=Retention, default=Retention.KEEP)
    first_downloaded_at = Timestamptz(null=True, default=None)
    expires_at = Timestamptz(null=True, default=None)  # null: never
    created_at = Timestamptz(default=now)
    updated_at = Timestamptz(default=now)


class ImageSource(Table):
    """The validators that a server sent with the file that an image was fetched from."""

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
    public = Boolean(default=False)  # whether its outputs are
    renditions = Text(default="[]")  # a JSON list of the presets that are rendered ahead of each output
    columns = JSON(default="[]")  # the header of the CSV file
    status = Varchar(16, choices=BatchStatus, default=BatchStatus.PENDING)
    total = Integer(default=0)  # items: URLs, repeated ones included
    completed = Integer(default=0)
    failed = Integer(default=0)
    bytes_before = BigInt(default=0)  # of the files fetched for completed items, each URL once
    bytes_after = BigInt(default=0)
    webhook_url = Text(null=True, default=None)
    created_at = Timestamptz(default=now)
    started_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)


class Job(Table):
    """A unit of work on one image. The row decides; a message of the broker only wakes a worker."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    kind = Varchar(16, choices=JobKind)
    image = ForeignKey(Image, on_delete=OnDelete.set_null, null=True)
    result = ForeignKey(Image, on_delete=OnDelete.set_null, null=True)
    command = JSON()  # the whole command as JSON, so that it can be published again
    summary = JSON(null=True, default=None)  # what is shown of the command, which may be large
    priority = Varchar(16, choices=Priority, default=Priority.INTERACTIVE)
    status = Varchar(16, choices=JobStatus, default=JobStatus.QUEUED)
    attempts = Integer(default=0)
    crashes = Integer(default=0)  # of render processes that ran it
    not_before = Timestamptz(null=True, default=None)  # no worker claims it earlier
    publish_at = Timestamptz(default=now)  # when the sweep publishes it, unless a worker has claimed it
    lease_until = Timestamptz(null=True, default=None)
    worker = Varchar(128, null=True, default=None)
    error_code = Varchar(64, null=True, default=None)
    error = Text(null=True, default=None)
    webhook_url = Text(null=True, default=None)
    batch = ForeignKey(Batch, on_delete=OnDelete.set_null, null=True)
    host = Varchar(255, null=True, default=None)  # the host of the URL; only for jobs of batches
    held = Boolean(default=False)  # queued without a message, until the throttle of its host releases it
    request_id = Varchar(64, null=True, default=None)
    timeline = Text(default="")  # see `job_timeline`
    traceparent = Varchar(55, null=True, default=None)  # of the span that made it; a batch's job links to it
    created_at = Timestamptz(default=now)
    started_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)


class EditCall(Table):
    """The state of the paid call of an edit job; there is no row before the first call."""

    id = UUID(primary_key=True)  # of the job
    state = Varchar(16)  # a CallState
    calls = Integer()  # calls started so far
    attempt = Integer()  # attempt of the job that started the last call
    started_at = Timestamptz(default=now)


class EditUsage(Table):
    """What an account used for edits on one day (UTC)."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    day = Varchar(10)  # 2026-11-22
    edits = Integer(default=0)  # images requested; counted by the daily quota
    calls = Integer(default=0)
    images = Integer(default=0)  # images received
    input_tokens = BigInt(default=0)
    output_tokens = BigInt(default=0)
    total_tokens = BigInt(default=0)


class ProductImage(Table):
    """One item of a batch: an image URL in a row of the CSV file."""

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
    cells = JSON(null=True, default=None)  # all cells of the row; stored with its first URL only


class HostPause(Table):
    """A host that asked for a pause (`Retry-After`)."""

    host = Varchar(255, primary_key=True)
    until = Timestamptz()


class WebhookEndpoint(Table):
    """A URL that receives an owner's webhook events, and which events."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    url = Text()
    secret = Varchar(128, secret=True)
    previous_secret = Varchar(128, null=True, default=None, secret=True)
    previous_until = Timestamptz(null=True, default=None)  # until then both secrets sign
    events = JSON()
    active = Boolean(default=True)
    disabled_reason = Varchar(64, null=True, default=None)
    created_at = Timestamptz(default=now)


class WebhookSecret(Table):
    """The secret that signs deliveries to the `webhook_url` of an owner's jobs and batches."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False, unique=True)
    secret = Varchar(128, secret=True)
    previous_secret = Varchar(128, null=True, default=None, secret=True)
    previous_until = Timestamptz(null=True, default=None)


class WebhookDelivery(Table):
    """The delivery of one event to one URL; its id is the `webhook-id` of every attempt."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    endpoint = ForeignKey(WebhookEndpoint, on_delete=OnDelete.cascade, null=True)
    url = Text()
    target = BigInt(default=0)  # a hash of owner and URL; deliveries of one target share a pace
    event = Varchar(64)
    subject = UUID(null=True, default=None)  # the job, batch or image of the event
    request_id = Varchar(64, null=True, default=None)
    traceparent = Varchar(55, null=True, default=None)  # of the span that ended the subject
    body = Text()
    attempts = Integer(default=0)  # also identifies the claim, because every claim adds one
    failures = Integer(default=0)  # since it was queued; its position in the schedule
    next_attempt_at = Timestamptz(default=now)  # while it is being sent: the end of the lease
    status = Varchar(16, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    last_status_code = Integer(null=True, default=None)
    last_error = Text(null=True, default=None)
    history = JSON(default="[]")
    created_at = Timestamptz(default=now)
    finished_at = Timestamptz(null=True, default=None)


class WebhookPace(Table):
    """A target that asked for a pause: nothing is sent until then, and afterwards one delivery at a time."""

    id = UUID(primary_key=True, default=new_id)
    target = BigInt(unique=True)
    until = Timestamptz()


class IdempotencyKey(Table):
    """What a request with an Idempotency-Key made, or its response, for requests that repeat the key."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    key = Varchar(255)
    fingerprint = Varchar(64)  # SHA-256 of method, path and body
    holder = UUID(null=True, default=None)  # names the request that reserved the key
    subject = UUID(null=True, default=None)  # the image, batch or webhook that the request made
    job = UUID(null=True, default=None)  # the job that it made
    status_code = Integer(null=True, default=None)  # null: no response is stored
    headers = JSON(null=True, default=None)
    response = Text(null=True, default=None)
    expires_at = Timestamptz()


class AcceptedOrder(Table, tablename="submission"):
    """An AMQP order that was accepted. The database has the older name."""

    id = UUID(primary_key=True, default=new_id)
    owner = ForeignKey(BaseUser, on_delete=OnDelete.cascade, null=False)
    name = Varchar(255, null=True, default=None)  # the message id of its sender; unique for an owner
    job = UUID()  # the first job; also the outcome if it fails
    outcome = UUID()  # the last job: the first one, or the one that follows it
    created_at = Timestamptz(default=now)


class Reply(Table):
    """A reply to send with the outcome of an order; deleted once it is sent."""

    id = UUID(primary_key=True, default=new_id)
    order = ForeignKey(AcceptedOrder, on_delete=OnDelete.cascade, null=False, db_column_name="submission")
    reply_to = Varchar(255)
    correlation_id = Varchar(255, null=True, default=None)
    attempts = Integer(default=0)
    send_after = Timestamptz(default=now)


class SetAside(Table):
    """An item that a loop has set aside because it fails by itself."""

    id = UUID(primary_key=True)  # of the item
    kind = Varchar(16)  # a set_aside.Kind
    reason = Text()
    attempts = Integer()
    retry_at = Timestamptz()
    created_at = Timestamptz(default=now)
