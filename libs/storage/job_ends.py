"""What belongs to the end of a job, in one transaction: its batch's count and its webhook deliveries."""

from uuid import UUID

from libs.contracts.events import BatchCompleted
from libs.storage import batch_counters, webhook_outbox
from libs.storage.batch_counters import NO_RESULT, ItemResult


async def record_end(
    job_id: UUID, batch: UUID | None, *, awaited: bool = True, result: ItemResult = NO_RESULT
) -> BatchCompleted | None:
    """Count an ended job in its batch, or else write its webhook deliveries; call it last in the transaction.

    `result` is what its batch counts; `awaited` is false when nobody gets a delivery. Return the
    batch if this was its last job.
    """
    if batch is not None:
        return await batch_counters.count(batch, job_id, result)
    if awaited:
        await webhook_outbox.add_job_ended(job_id)
    return None
