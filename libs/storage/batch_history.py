"""Delete old batches in small steps: their items first, the batch last."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from libs.storage.database.connection import transaction
from libs.storage.database.engine import rows
from libs.storage.database.tables import Batch, Job, ProductImage, first_id_since

# Ids follow the time of creation, so that a batch which ended early enough is among the first.
OLDEST = "select id from batch where id < {} and finished_at < {} order by id limit 1"
ITEMS = (
    "delete from product_image where id in"
    " (select id from product_image where batch = {} order by id limit {}) returning id"
)
JOBS = "update job set batch = null where id in (select id from job where batch = {} limit {}) returning id"


async def step(before: datetime, limit: int) -> int | None:
    """Delete or change at most `limit` rows of the oldest batch that ended before `before`; return how many.

    The images that the batch made stay, and so does a job that one of them shows; it then names no batch.
    Return None if there is no such batch.
    """
    found = await rows(Batch.raw(OLDEST, first_id_since(before), before))
    return await _step(found[0]["id"], before, limit) if found else None


async def _step(batch: UUID, before: datetime, limit: int) -> int:
    async with transaction():
        # A retry waits for this lock, or has made the batch unfinished.
        locked: list[Any] = await (
            Batch.update({Batch.failed: Batch.failed + 0})
            .where((Batch.id == batch) & (cast("Any", Batch.finished_at) < before))
            .returning(Batch.id)
        )
        if not locked:
            return 0
        done = len(await rows(ProductImage.raw(ITEMS, batch, limit)))
        if done < limit:
            done += len(await rows(Job.raw(JOBS, batch, limit - done)))
        if done < limit:
            await Batch.delete().where(Batch.id == batch)
            done += 1
        return done
