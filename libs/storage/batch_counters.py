"""How a batch is counted: in the transaction that ends a job, and nowhere else.

Whatever is killed when, the counters are exact, and one transaction alone ends the batch.
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


class BatchShare(Struct, frozen=True, kw_only=True):
    """What one job adds to its batch."""

    output: UUID | None = None
    failure: Failure | None = None
    bytes_before: int = 0
    bytes_after: int = 0


NO_SHARE = BatchShare()


async def begin(batch: UUID) -> None:
    """The batch's first job has been taken; any later one changes nothing."""
    await _BEGIN(batch=batch, now=now())


async def count(batch: UUID, job: UUID, share: BatchShare) -> BatchCompleted | None:
    """Settle the items that wait for a job and count them, at the end of the transaction that ends the job.

    The last of them ends the batch and puts its notices on their way; that batch comes back.
    """
    settled = await _settle(job, share)
    if not settled:
        return None
    failed = settled if share.failure else 0
    counted = await _COUNT(
        batch=batch,
        completed=settled - failed,
        failed=failed,
        bytes_before=share.bytes_before,
        bytes_after=share.bytes_after,
    )
    if not counted or counted[0]["completed"] + counted[0]["failed"] < counted[0]["total"]:
        return None
    return await _end(batch, **counted[0])


async def _settle(job: UUID, share: BatchShare) -> int:
    """How many items of the job waited."""
    if share.failure is not None:
        return len(await _FAIL(job=job, code=share.failure.code, error=share.failure.detail))
    return len(await _COMPLETE(job=job, output=share.output))


async def _end(batch: UUID, *, owner: int, total: int, completed: int, failed: int) -> BatchCompleted:
    """The row is locked by the statement that counted: no other transaction has seen this sum."""
    status = BatchStatus.COMPLETED if completed else BatchStatus.FAILED
    await Batch.update({Batch.status: status, Batch.finished_at: now()}).where(Batch.id == batch)
    await webhook_outbox.of_batch(batch)
    user = await BaseUser.objects().where(BaseUser.id == owner).first()
    return BatchCompleted(
        batch_id=batch,
        owner=user.username if user else "",
        status=status,
        total=total,
        completed=completed,
        failed=failed,
    )


_WAITS = (ProductImage.job == Slot("job")) & (ProductImage.status == ItemStatus.PENDING)
_COMPLETE = Statement(
    cast(
        "Any",
        ProductImage.update({ProductImage.status: ItemStatus.COMPLETED, ProductImage.output: Slot("output")})
        .where(_WAITS)
        .returning(ProductImage.id),
    )
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
        .where(_WAITS)
        .returning(ProductImage.id),
    )
)
_COUNT = Statement(
    Batch.raw(
        "update batch set completed = completed + {}, failed = failed + {},"
        " bytes_before = bytes_before + {}, bytes_after = bytes_after + {}"
        " where id = {} returning owner, total, completed, failed",
        *map(Slot, ("completed", "failed", "bytes_before", "bytes_after", "batch")),
    )
)
_BEGIN = Statement(
    cast(
        "Any",
        Batch.update({Batch.status: BatchStatus.IN_PROCESS, Batch.started_at: Slot("now")}).where(
            (Batch.id == Slot("batch")) & (Batch.status == BatchStatus.PENDING)
        ),
    )
)
