"""Jobs."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from libs.contracts.enums import JobKind, JobStatus, Priority
from libs.contracts.views.request_body import Operations


class JobView(Struct, frozen=True, kw_only=True):
    """A change to one image."""

    id: UUID
    """The id of the job."""
    kind: JobKind
    """The work that is done."""
    status: JobStatus
    """The state of the job."""
    image_id: UUID | None
    """The image that is changed; null while it is being fetched."""
    result_id: UUID | None
    """The image that was made; null until the job is completed."""
    operations: Operations | None
    """What is done, in order; null for a job without operations."""
    priority: Priority
    """Jobs of batches are `bulk`, all others `interactive`."""
    attempts: int
    """How often a worker has begun."""
    error_code: str | None
    """Why the job failed; one of the codes of errors."""
    error: str | None
    """Why the job failed, in words."""
    created_at: datetime
    """When the job was requested."""
    started_at: datetime | None
    """When a worker first began."""
    finished_at: datetime | None
    """When the job ended."""
    url: str
    """The address of the job."""
    download_url: str | None
    """The address of the result itself, whatever later jobs make of it."""
