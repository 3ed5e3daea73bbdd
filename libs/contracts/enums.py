"""The closed sets of words that rows, messages and answers use."""

from enum import StrEnum


class ImageStatus(StrEnum):
    """What is known of an image's bytes."""

    PENDING = "pending"  # not decoded yet
    READY = "ready"  # decoded whole at least once
    FAILED = "failed"
    DELETING = "deleting"  # invisible; its object and row are on their way out


class Retention(StrEnum):
    """Whether an image stays, or deletes itself once it has served."""

    KEEP = "keep"
    EPHEMERAL = "ephemeral"


class OnDuplicate(StrEnum):
    """What to do with bytes that the account keeps already."""

    STORE = "store"
    RETURN = "return"  # the image that is there serves instead


class JobKind(StrEnum):
    """What a job does to its image."""

    INGEST = "ingest"
    DESCRIBE = "describe"
    TRANSFORM = "transform"
    EDIT = "edit"


class JobStatus(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Priority(StrEnum):
    """Whether somebody waits for the job."""

    INTERACTIVE = "interactive"
    BULK = "bulk"


class BatchStatus(StrEnum):
    """Where a batch stands."""

    PENDING = "Pending"
    IN_PROCESS = "In Process"
    COMPLETED = "Completed"  # all or some of it; failures are listed
    FAILED = "Failed"  # none of it


class ItemStatus(StrEnum):
    """Where one URL of a batch stands."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"


class CallState(StrEnum):
    """What is known of a call that costs money."""

    STARTED = "started"  # it may have run
    NOT_RUN = "not_run"  # it surely did not: it may be made again
    ANSWERED = "answered"


class WebhookEvent(StrEnum):
    """What an owner may be told of."""

    JOB_COMPLETED = "job.completed"
    JOB_FAILED = "job.failed"
    BATCH_COMPLETED = "batch.completed"
    IMAGE_EXPIRED = "image.expired"


class DeliveryStatus(StrEnum):
    """Where a notice stands."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
