"""Views of batches and their items."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from libs.auth.links import sign_permanent_link
from libs.contracts.enums import BatchStatus, ItemStatus, Retention
from libs.contracts.views.batches import BatchDetail, BatchView, ItemView
from libs.contracts.views.request_body import Operations
from libs.settings import Settings
from libs.storage.database.tables import Batch, ProductImage, now


def batch_view(batch: Batch, base_url: str) -> BatchView:
    """Build the view of a batch, without its items."""
    url = f"{base_url}/api/batches/{batch.id}"
    return BatchView(
        id=batch.id,
        request_id=batch.id,
        filename=batch.filename,
        status=BatchStatus(batch.status),
        total=batch.total,
        completed=batch.completed,
        failed=batch.failed,
        bytes_before=batch.bytes_before,
        bytes_after=batch.bytes_after,
        eta_s=_eta_s(batch),
        operations=msgspec.json.decode(batch.operations, type=Operations),
        retention=Retention(batch.retention),
        public=batch.public,
        renditions=msgspec.json.decode(batch.renditions, type=tuple[str, ...]),
        webhook_url=batch.webhook_url,
        created_at=batch.created_at,
        started_at=batch.started_at,
        finished_at=batch.finished_at,
        url=url,
        output_url=f"{url}/output.csv",
        archive_url=f"{url}/archive.zip",
    )


def batch_detail(
    batch: Batch, items: Sequence[ProductImage], errors: dict[str, int], base_url: str, settings: Settings
) -> BatchDetail:
    """Build the view of a batch with some of its items."""
    view = msgspec.structs.asdict(batch_view(batch, base_url))
    item_views = tuple(_item_view(item, base_url, settings) for item in items)
    return BatchDetail(**view, errors=errors, items=item_views)


def lasting_link(image: UUID | None, base_url: str, settings: Settings) -> str | None:
    """An address that opens an image without a token, as long as the image is there."""
    return f"{base_url}/d/{sign_permanent_link(settings.secret_key, image)}" if image else None


def _item_view(item: ProductImage, base_url: str, settings: Settings) -> ItemView:
    return ItemView(
        id=item.id,
        serial_number=item.serial_number,
        product_name=item.product_name,
        position=item.position,
        input_url=item.input_url,
        status=ItemStatus(item.status),
        job_id=item.job,
        output_id=item.output,
        output_url=lasting_link(item.output, base_url, settings),
        error_code=item.error_code,
        error=item.error,
    )


def _eta_s(batch: Batch) -> float | None:
    """Extrapolate the remaining time from the items done since the first job started."""
    done = batch.completed + batch.failed
    if batch.started_at is None or not 0 < done < batch.total:
        return None
    return round((now() - batch.started_at).total_seconds() / done * (batch.total - done), 1)
