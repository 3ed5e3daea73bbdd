"""Delete old orders, jobs (with the records of their paid calls) and batches, in small steps."""

from datetime import datetime
from uuid import UUID

from libs.storage import batch_history
from libs.storage.database.engine import rows
from libs.storage.database.tables import AcceptedOrder, Job, first_id_since

STEP = 500  # rows that one step looks at
FIRST = UUID(int=0)

# An image shows its newest result, and what its newest transform or edit came to: these jobs stay with it.
SHOWN = """
job.image is not null and (
  (job.result is not null and not exists (
    select 1 from job newer where newer.image = job.image and newer.id > job.id and newer.result is not null))
  or (job.kind in ('transform', 'edit') and job.status <> 'cancelled' and not exists (
    select 1 from job newer where newer.image = job.image and newer.id > job.id
      and newer.kind in ('transform', 'edit') and newer.status <> 'cancelled')))
"""
# Orders come first: one that is repeated finds its job as long as it is known itself.
ORDERS = """
select submission.id, submission.created_at < {}
  and not exists (select 1 from reply where reply.submission = submission.id)
  and not exists (select 1 from job where job.id in (submission.job, submission.outcome)
    and job.status in ('queued', 'running')) as old
from submission where submission.id > {} and submission.id < {} order by submission.id limit {}
"""
JOBS = f"""
select job.id, job.status not in ('queued', 'running') and job.finished_at < {{}}
  and not exists (select 1 from submission where submission.job = job.id)
  and not exists (select 1 from submission where submission.outcome = job.id)
  and not ({SHOWN}) as old
from job where job.id > {{}} and job.id < {{}} order by job.id limit {{}}
"""  # noqa: S608 - our own text
WALKS = ((AcceptedOrder, ORDERS), (Job, JOBS))


class History:
    """A walk over the rows older than a given time: one table after another, oldest rows first."""

    def __init__(self) -> None:
        self._walk = 0
        self._after = FIRST

    async def step(self, before: datetime) -> int | None:
        """Examine at most `STEP` rows and delete those that ended before `before`; return how many.

        Batches come last: most of their jobs are gone by then. Return None at the end of the walk; the
        next step begins a new one.
        """
        if self._walk == len(WALKS):
            return await self._batches(before)
        table, query = WALKS[self._walk]
        found = await rows(table.raw(query, before, self._after, first_id_since(before), STEP))
        old = [row["id"] for row in found if row["old"]]
        if old:
            await table.delete().where(table.id.is_in(old))
        if len(found) < STEP:
            self._walk, self._after = self._walk + 1, FIRST
        else:
            self._after = found[-1]["id"]
        return len(old)

    async def _batches(self, before: datetime) -> int | None:
        deleted = await batch_history.step(before, STEP)
        if deleted is None:
            self._walk = 0
        return deleted
