"""What the event exchange carries: something happened, said once, to whoever listens."""

from typing import Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

from libs.contracts.enums import BatchStatus


class JobEnded(Struct, frozen=True, kw_only=True):
    """A job came to its end; the routing key is `type`. The same shape answers `reply_to`."""

    type: Literal["job.completed", "job.failed", "job.cancelled"]
    job_id: UUID
    owner: str
    status: Literal["completed", "failed", "cancelled"]
    image_id: UUID | None = None  # the result; for `describe` the image itself
    object_key: str | None = None
    link: str | None = None  # opens without a token, for a while
    error_code: str | None = None
    error: str | None = None
    message_id: str | None = None  # what an outside sender called the job: its `job_id` or `message_id`


class OrderRefused(Struct, frozen=True, kw_only=True):
    """Answers `reply_to` when a message was put aside instead of becoming a job."""

    type: Literal["order.refused"] = "order.refused"
    status: Literal["refused"] = "refused"
    error_code: str
    error: str
    message_id: str | None = None


class ImageDeleted(Struct, frozen=True, kw_only=True):
    """An image is gone; the routing key is `type`."""

    type: Literal["image.deleted"] = "image.deleted"
    image_id: UUID
    owner: str


class _Ended(Struct, frozen=True, kw_only=True):
    """Whatever event: what it is about."""

    job_id: UUID | None = None
    batch_id: UUID | None = None


class BatchCompleted(Struct, frozen=True, kw_only=True):
    """Nothing of a batch is left to do; the routing key is `type`, also where all of it failed."""

    type: Literal["batch.completed"] = "batch.completed"
    batch_id: UUID
    owner: str
    status: BatchStatus
    total: int
    completed: int
    failed: int


AnyEvent: TypeAlias = JobEnded | ImageDeleted | BatchCompleted

_job_ended = msgspec.json.Decoder(JobEnded)
_ended = msgspec.json.Decoder(_Ended)


def ended_job(body: bytes) -> UUID | None:
    """The job that an event tells the end of; None for bytes that others have put on the exchange."""
    try:
        return _job_ended.decode(body).job_id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def ended(body: bytes) -> UUID | None:
    """The job or batch that an event tells the end of; None as in `ended_job`."""
    try:
        found = _ended.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found.job_id or found.batch_id
