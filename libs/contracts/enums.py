"""The enumerations that rows, messages and HTTP bodies share."""

from enum import StrEnum


class ImageStatus(StrEnum):
    """How far an image has been processed."""

    PENDING = "pending"  # not decoded completely yet
    READY = "ready"  # decoded completely at least once
    FAILED = "failed"
    DELETING = "deleting"  # hidden; its object and row are being deleted


class Retention(StrEnum):
    """Whether an image is kept, or deleted after its download."""

    KEEP = "keep"
    EPHEMERAL = "ephemeral"


class OnDuplicate(StrEnum):
    """What to do with an upload whose bytes the account keeps already."""

    STORE = "store"
    RETURN = "return"  # answer with the kept image


class JobKind(StrEnum):
    """The kind of work that a job does."""

    INGEST = "ingest"
    DESCRIBE = "describe"
    TRANSFORM = "transform"
    EDIT = "edit"
    RENDER = "render"  # presets of an image, before anybody asks for them


class JobStatus(StrEnum):
    """The state of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    """Whether a person or a program waits for the job."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class BatchStatus(StrEnum):
    """The state of a batch."""

    PENDING = "Pending"
    IN_PROCESS = "In Process"
    COMPLETED = "Completed"  # at least one item completed
    FAILED = "Failed"  # no item completed


class ItemStatus(StrEnum):
    """The state of one URL of a batch."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"


class CallState(StrEnum):
    """What is known about a paid call to a model."""

    STARTED = "started"  # it may have run
    NOT_RUN = "not_run"  # it did not run, so it may be repeated
    ANSWERED = "answered"


class WebhookEvent(StrEnum):
    """The events that a webhook can subscribe to."""

    JOB_COMPLETED = "job.completed"
    JOB_FAILED = "job.failed"
    BATCH_COMPLETED = "batch.completed"
    IMAGE_EXPIRED = "image.expired"


class DeliveryStatus(StrEnum):
    """The state of a webhook delivery."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Scope(StrEnum):
    """What an API key may do."""

    IMAGES_READ = "images:read"
    IMAGES_WRITE = "images:write"
    JOBS = "jobs"
    BATCHES = "batches"
    WEBHOOKS = "webhooks"
    EDITS = "edits"  # edits by prompt, which may cost money
    ACCOUNT = "account"


class OnMissingImage(StrEnum):
    """What becomes of a part of a batch without an image: a product without a URL, an id of no image."""

    REFUSE = "refuse"  # the whole batch
    SKIP = "skip"  # this part
