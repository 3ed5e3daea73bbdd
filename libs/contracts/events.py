"""Events that are published once to the event exchange, and replies to orders."""

from typing import Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

from libs.contracts.enums import BatchStatus
from libs.contracts.json_text import JsonDecoder


class JobEnded(Struct, frozen=True, kw_only=True):
    """A job ended. The routing key is `type`; a reply to `reply_to` has the same shape."""

    type: Literal["job.completed", "job.failed", "job.cancelled"]
    job_id: UUID
    owner: str
    status: Literal["completed", "failed", "cancelled"]
    image_id: UUID | None = None  # the result; for `describe`, the image itself
    object_key: str | None = None
    link: str | None = None  # opens without a token until it expires
    error_code: str | None = None
    error: str | None = None
    message_id: str | None = None  # the sender's name for the order: its `job_id` or `message_id`


class OrderRefused(Struct, frozen=True, kw_only=True):
    """The reply to `reply_to` when an order is dead-lettered instead of accepted."""

    type: Literal["order.refused"] = "order.refused"
    status: Literal["refused"] = "refused"
    error_code: str
    error: str
    message_id: str | None = None


class ImageDeleted(Struct, frozen=True, kw_only=True):
    """An image was deleted. The routing key is `type`."""

    type: Literal["image.deleted"] = "image.deleted"
    image_id: UUID
    owner: str


class _Subject(Struct, frozen=True, kw_only=True):
    """The subject of any event."""

    job_id: UUID | None = None
    batch_id: UUID | None = None


class BatchCompleted(Struct, frozen=True, kw_only=True):
    """A batch ended, even if all of its items failed. The routing key is `type`."""

    type: Literal["batch.completed"] = "batch.completed"
    batch_id: UUID
    owner: str
    status: BatchStatus
    total: int
    completed: int
    failed: int


AnyEvent: TypeAlias = JobEnded | ImageDeleted | BatchCompleted

_job_ended = JsonDecoder(msgspec.json.Decoder(JobEnded))
_subject = JsonDecoder(msgspec.json.Decoder(_Subject))


def ended_job(body: bytes) -> UUID | None:
    """Return the id of the job whose end an event reports; None for any other body on the exchange."""
    try:
        return _job_ended.decode(body).job_id
    except msgspec.DecodeError:
        return None


def ended_subject(body: bytes) -> UUID | None:
    """Return the id of the job or batch whose end an event reports; None for any other body."""
    try:
        found = _subject.decode(body)
    except msgspec.DecodeError:
        return None
    return found.job_id or found.batch_id
