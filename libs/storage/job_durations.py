"""How long jobs take, to estimate the end of the next one."""

from datetime import timedelta
from statistics import median

from libs.contracts.enums import JobStatus
from libs.storage.database.tables import Job, first_id_since, now

SAMPLE = 20  # jobs, to estimate how long the next one takes
FIRST_GUESS_S = 5.0
RECENT = timedelta(minutes=15)


async def typical_s(kind: str) -> float:
    """Return the median time from request to end of the newest jobs of a kind, in seconds.

    Only recent jobs count: the primary key finds them, however many rows there are.
    """
    recent = first_id_since(now() - RECENT)
    ended = await (
        Job.select(Job.created_at, Job.finished_at)
        .where((Job.id >= recent) & (Job.kind == kind) & (Job.status == JobStatus.COMPLETED))
        .order_by(Job.id, ascending=False)
        .limit(SAMPLE)
    )
    took = [(job["finished_at"] - job["created_at"]).total_seconds() for job in ended]
    return median(took) if took else FIRST_GUESS_S
