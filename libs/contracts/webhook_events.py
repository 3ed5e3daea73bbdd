"""The bodies of webhook requests, in the shape of Standard Webhooks: `type`, `timestamp`, `data`.

Every text in them has a limit, so a body stays far below the 20 kB that Standard Webhooks recommends.
"""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from libs.contracts.enums import JobKind

ERROR_CHARS = 1000


class ImageData(Struct, frozen=True, kw_only=True):
    """The image of an event."""

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


class JobData(Struct, frozen=True, kw_only=True):
    """A job that ended. `request_id` names the HTTP request that created it."""

    job_id: UUID
    kind: JobKind
    status: Literal["completed", "failed"]
    image_id: UUID | None  # the source
    result_id: UUID | None
    result: ImageData | None
    error_code: str | None
    error: str | None
    attempts: int
    request_id: str | None
    created_at: datetime
    finished_at: datetime


class BatchData(Struct, frozen=True, kw_only=True):
    """A batch that ended."""

    batch_id: UUID
    filename: str
    status: str
    total: int
    completed: int
    failed: int
    created_at: datetime
    finished_at: datetime | None


class WebhookTestData(Struct, frozen=True, kw_only=True):
    """The webhook that is tested."""

    webhook_id: UUID


class JobPayload(Struct, frozen=True, kw_only=True):
    """Payload of the `job.completed` and `job.failed` events."""

    type: Literal["job.completed", "job.failed"]
    timestamp: datetime
    data: JobData


class BatchPayload(Struct, frozen=True, kw_only=True):
    """Payload of the `batch.completed` event. `request_id` and `status` repeat the batch's id and status."""

    type: Literal["batch.completed"] = "batch.completed"
    timestamp: datetime
    request_id: UUID
    status: str
    data: BatchData


class ImagePayload(Struct, frozen=True, kw_only=True):
    """Payload of the `image.expired` event."""

    type: Literal["image.expired"] = "image.expired"
    timestamp: datetime
    data: ImageData


class WebhookTestPayload(Struct, frozen=True, kw_only=True):
    """Payload of the `webhook.test` event, which an owner requests to test a webhook."""

    type: Literal["webhook.test"] = "webhook.test"
    timestamp: datetime
    data: WebhookTestData


AnyPayload: TypeAlias = JobPayload | BatchPayload | ImagePayload | WebhookTestPayload
