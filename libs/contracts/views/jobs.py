"""Jobs."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from libs.contracts.enums import JobKind, JobStatus, Priority
from libs.contracts.views.request_body import Operations


class JobView(Struct, frozen=True, kw_only=True):
    """A change to one image."""

    id: UUID
    kind: JobKind
    status: JobStatus
    image_id: UUID | None
    result_id: UUID | None
    operations: Operations | None
    priority: Priority
    attempts: int
    error_code: str | None
    error: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    url: str
    download_url: str | None
