"""The bodies of webhooks, in the shape of Standard Webhooks: `type`, `timestamp`, `data`.

They stay far below 20 kB: every text in them is bounded.
"""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from libs.contracts.enums import JobKind

ERROR_CHARS = 1000


class ImageTold(Struct, frozen=True, kw_only=True):
    """An image, as far as a notice tells."""

    id: UUID
    parent: UUID | None
    filename: str
    format: str
    mime: str
    width: int
    height: int
    frames: int
    size_bytes: int
    md5: str
    expires_at: datetime | None


class JobTold(Struct, frozen=True, kw_only=True):
    """A job that ended; `request_id` is that of the request that asked for it."""

    job_id: UUID
    kind: JobKind
    status: Literal["completed", "failed"]
    image_id: UUID | None  # the source
    result_id: UUID | None
    result: ImageTold | None
    error_code: str | None
    error: str | None
    attempts: int
    request_id: str | None
    created_at: datetime
    finished_at: datetime


class BatchTold(Struct, frozen=True, kw_only=True):
    """A batch that ended."""

    batch_id: UUID
    filename: str
    status: str
    total: int
    completed: int
    failed: int
    created_at: datetime
    finished_at: datetime | None


class TrialTold(Struct, frozen=True, kw_only=True):
    """Nothing happened."""

    webhook_id: UUID


class JobNotice(Struct, frozen=True, kw_only=True):
    """A job has ended."""

    type: Literal["job.completed", "job.failed"]
    timestamp: datetime
    data: JobTold


class BatchNotice(Struct, frozen=True, kw_only=True):
    """All of a batch has ended; `request_id` is the batch's id, `status` its status."""

    type: Literal["batch.completed"] = "batch.completed"
    timestamp: datetime
    request_id: UUID
    status: str
    data: BatchTold


class ImageNotice(Struct, frozen=True, kw_only=True):
    """An image has reached its end and is gone."""

    type: Literal["image.expired"] = "image.expired"
    timestamp: datetime
    data: ImageTold


class TrialNotice(Struct, frozen=True, kw_only=True):
    """Somebody wants to see whether notices arrive."""

    type: Literal["webhook.test"] = "webhook.test"
    timestamp: datetime
    data: TrialTold


AnyNotice: TypeAlias = JobNotice | BatchNotice | ImageNotice | TrialNotice
