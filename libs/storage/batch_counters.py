"""The counters of a batch, updated in the transaction that ends a job and nowhere else.

So they stay exact when a process is killed, and exactly one transaction ends the batch.
"""

from typing import Any, cast
from uuid import UUID

from msgspec import Struct

from libs.contracts.enums import BatchStatus, ItemStatus
from libs.contracts.events import BatchCompleted
from libs.storage import webhook_outbox
from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import BaseUser, Batch, ProductImage, now
from libs.storage.job_failure import Failure


class ItemResult(Struct, frozen=True, kw_only=True):
    """The result of a job for the items of its batch."""

    output: UUID | None = None
    failure: Failure | None = None
    bytes_before: int = 0
    bytes_after: int = 0


NO_RESULT = ItemResult()


async def begin(batch: UUID) -> None:
    """Mark a batch as in process when its first job is claimed; safe to repeat."""
    await _BEGIN(batch=batch, now=now())


async def count(batch: UUID, job: UUID, result: ItemResult) -> BatchCompleted | None:
    """End the pending items of a job and count them; call it last in the transaction that ends the job.

    The last item ends the batch and adds its webhook events; only then is its event returned.
    """
    ended = await _end_items(job, result)
    if not ended:
        return None
    failed = ended if result.failure else 0
    counted = await _COUNT(
        batch=batch,
        completed=ended - failed,
        failed=failed,
        bytes_before=result.bytes_before,
        bytes_after=result.bytes_after,
    )
    if not counted or counted[0]["completed"] + counted[0]["failed"] < counted[0]["total"]:
        return None
    return await _end_batch(batch, **counted[0])


async def _end_items(job: UUID, result: ItemResult) -> int:
    """End the job's pending items; return how many they were."""
    if result.failure is not None:
        return len(await _FAIL(job=job, code=result.failure.code, error=result.failure.detail))
    return len(await _COMPLETE(job=job, output=result.output))


async def _end_batch(batch: UUID, *, owner: int, total: int, completed: int, failed: int) -> BatchCompleted:
    """End the batch.

    The statement that counted locks the row, so no other transaction reads the same sum.
    """
    status = BatchStatus.COMPLETED if completed else BatchStatus.FAILED
    await Batch.update({Batch.status: status, Batch.finished_at: now()}).where(Batch.id == batch)
    await webhook_outbox.add_batch_ended(batch)
    user = await BaseUser.objects().where(BaseUser.id == owner).first()
    return BatchCompleted(
        batch_id=batch,
        owner=user.username if user else "",
        status=status,
        total=total,
        completed=completed,
        failed=failed,
    )


_IS_PENDING = (ProductImage.job == Slot("job")) & (ProductImage.status == ItemStatus.PENDING)
_COMPLETE = Statement(
    cast(
        "Any",
        ProductImage.update({ProductImage.status: ItemStatus.COMPLETED, ProductImage.output: Slot("output")})
        .where(_IS_PENDING)
        .returning(ProductImage.id),
    ),
    quick=True,
)
_FAIL = Statement(
    cast(
        "Any",
        ProductImage.update(
            {
                ProductImage.status: ItemStatus.FAILED,
                ProductImage.error_code: Slot("code"),
                ProductImage.error: Slot("error"),
            }
        )
        .where(_IS_PENDING)
        .returning(ProductImage.id),
    ),
    quick=True,
)
_COUNT = Statement(
    Batch.raw(
        "update batch set completed = completed + {}, failed = failed + {},"
        " bytes_before = bytes_before + {}, bytes_after = bytes_after + {}"
        " where id = {} returning owner, total, completed, failed",
        *map(Slot, ("completed", "failed", "bytes_before", "bytes_after", "batch")),
    ),
    quick=True,
)
_BEGIN = Statement(
    cast(
        "Any",
        Batch.update({Batch.status: BatchStatus.IN_PROCESS, Batch.started_at: Slot("now")}).where(
            (Batch.id == Slot("batch")) & (Batch.status == BatchStatus.PENDING)
        ),
    ),
    quick=True,
)
