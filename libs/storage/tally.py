"""How a batch is counted: in the transaction that ends a job, and nowhere else.

Whatever is killed when, the counters are exact, and one transaction alone ends the batch.
"""

from typing import Any
from uuid import UUID

from msgspec import Struct

from libs.contracts.events import BatchCompleted
from libs.contracts.words import BatchStatus, ItemStatus
from libs.storage import notices
from libs.storage.failure import Failure
from libs.storage.tables import BaseUser, Batch, ProductImage, now


class Share(Struct, frozen=True, kw_only=True):
    """What one job adds to its batch."""

    output: UUID | None = None
    failure: Failure | None = None
    bytes_before: int = 0
    bytes_after: int = 0


NOTHING = Share()


async def begin(batch: UUID) -> None:
    """The batch's first job has been taken; any later one changes nothing."""
    await Batch.update({Batch.status: BatchStatus.IN_PROCESS, Batch.started_at: now()}).where(
        (Batch.id == batch) & (Batch.status == BatchStatus.PENDING)
    )


async def count(batch: UUID, job: UUID, share: Share) -> BatchCompleted | None:
    """Settle the items that wait for a job and count them, at the end of the transaction that ends the job.

    The last of them ends the batch and puts its notices on their way; that batch comes back.
    """
    settled = await _settle(job, share)
    if not settled:
        return None
    failed = settled if share.failure else 0
    counted: list[dict[str, Any]] = await (
        Batch.update(
            {
                Batch.completed: Batch.completed + (settled - failed),
                Batch.failed: Batch.failed + failed,
                Batch.bytes_before: Batch.bytes_before + share.bytes_before,
                Batch.bytes_after: Batch.bytes_after + share.bytes_after,
            }
        )
        .where(Batch.id == batch)
        .returning(Batch.owner, Batch.total, Batch.completed, Batch.failed)
    )
    if not counted or counted[0]["completed"] + counted[0]["failed"] < counted[0]["total"]:
        return None
    return await _end(batch, **counted[0])


async def _settle(job: UUID, share: Share) -> int:
    values: dict[Any, Any] = {ProductImage.status: ItemStatus.COMPLETED, ProductImage.output: share.output}
    if share.failure is not None:
        values = {
            ProductImage.status: ItemStatus.FAILED,
            ProductImage.error_code: share.failure.code,
            ProductImage.error: share.failure.detail,
        }
    waiting = (ProductImage.job == job) & (ProductImage.status == ItemStatus.PENDING)
    settled: list[dict[str, Any]] = await (
        ProductImage.update(values).where(waiting).returning(ProductImage.id)
    )
    return len(settled)


async def _end(batch: UUID, *, owner: int, total: int, completed: int, failed: int) -> BatchCompleted:
    """The row is locked by the statement that counted: no other transaction has seen this sum."""
    status = BatchStatus.COMPLETED if completed else BatchStatus.FAILED
    await Batch.update({Batch.status: status, Batch.finished_at: now()}).where(Batch.id == batch)
    await notices.of_batch(batch)
    user = await BaseUser.objects().where(BaseUser.id == owner).first()
    return BatchCompleted(
        batch_id=batch,
        owner=user.username if user else "",
        status=status,
        total=total,
        completed=completed,
        failed=failed,
    )
