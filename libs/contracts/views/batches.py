"""Batches and their items."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from libs.contracts.enums import BatchStatus, ItemStatus, Retention
from libs.contracts.views.request_body import Operations


class ItemView(Struct, frozen=True, kw_only=True):
    """One URL of one row of a batch."""

    id: UUID
    """The id of the item."""
    serial_number: int
    """The serial number of its row."""
    product_name: str
    """The product name of its row."""
    position: int
    """The place of the URL in its row, from 1."""
    input_url: str
    """The URL in the file, or the address of the stored image."""
    status: ItemStatus
    """The state of the item."""
    job_id: UUID | None
    """The job that processes the image, and fetches it before."""
    output_id: UUID | None
    """The id of the processed image; null until the item is completed."""
    output_url: str | None
    """Opens without a token while the image exists."""
    error_code: str | None
    """Why the item failed; one of the codes of errors."""
    error: str | None
    """Why the item failed, in words."""


class BatchView(Struct, frozen=True, kw_only=True):
    """A batch of URLs in a CSV file, or of stored images.

    `total`, `completed` and `failed` count a URL once for each time the file names it.
    """

    id: UUID
    """The id of the batch."""
    request_id: UUID
    """The same as `id`, for older clients."""
    filename: str
    """The name of the uploaded file, or of the batch."""
    status: BatchStatus
    """The state of the batch."""
    total: int
    """The number of URLs in the file, or of images."""
    completed: int
    """URLs whose image is processed."""
    failed: int
    """URLs whose image is not."""
    bytes_before: int
    """The size of the images before; a URL named twice counts once."""
    bytes_after: int
    """The size of the processed images."""
    eta_s: float | None
    """Seconds until the end, extrapolated from the items done; null before the first and after the last."""
    operations: Operations
    """What is done with each image."""
    retention: Retention
    """Whether the processed images are kept."""
    public: bool
    """Whether the processed images are public."""
    renditions: Sequence[str]
    """Presets that are rendered ahead of each processed image."""
    webhook_url: str | None
    """Where a signed event goes when the batch ends."""
    created_at: datetime
    """When the batch was created."""
    started_at: datetime | None
    """When the first job began."""
    finished_at: datetime | None
    """When the last item ended."""
    url: str
    """The address of the batch."""
    output_url: str
    """The address of the CSV file with the results."""
    archive_url: str
    """The address of the ZIP file with the results."""


class BatchDetail(BatchView, frozen=True, kw_only=True):
    """A batch with its failures by code and a page of its items, in the order of the file."""

    errors: dict[str, int]
    """How many items failed with each code."""
    items: tuple[ItemView, ...]
    """A page of the items, in the order of the file."""
