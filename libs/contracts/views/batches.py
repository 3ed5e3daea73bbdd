"""Batches and their items."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from libs.contracts.enums import BatchStatus, ItemStatus, Retention
from libs.contracts.views.request_body import Operations


class ItemView(Struct, frozen=True, kw_only=True):
    """One URL of one row of a batch."""

    id: UUID
    serial_number: int
    product_name: str
    position: int  # in its row, from 1
    input_url: str
    status: ItemStatus
    job_id: UUID | None
    output_id: UUID | None
    output_url: str | None  # opens without a token while the image exists
    error_code: str | None
    error: str | None


class BatchView(Struct, frozen=True, kw_only=True):
    """A CSV upload. `total`, `completed` and `failed` count a URL once for each time the file names it."""

    id: UUID
    request_id: UUID  # the same as `id`
    filename: str
    status: BatchStatus
    total: int
    completed: int
    failed: int
    bytes_before: int  # the size of the processed files; a URL named twice counts once
    bytes_after: int
    eta_s: float | None  # extrapolated from the items done; null before the first and after the last
    operations: Operations
    retention: Retention
    webhook_url: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    url: str
    output_url: str
    archive_url: str


class BatchDetail(BatchView, frozen=True, kw_only=True):
    """A batch with its failures by code and a page of its items, in the order of the file."""

    errors: dict[str, int]  # how many items failed with each code
    items: tuple[ItemView, ...]
