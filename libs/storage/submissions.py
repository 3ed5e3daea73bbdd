"""Functions over messages from outside, and over those who wait for their outcome."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from libs.contracts.enums import JobStatus
from libs.storage.database.connection import transaction
from libs.storage.database.engine import rows
from libs.storage.database.errors import UniqueViolation
from libs.storage.database.statement import insert
from libs.storage.database.tables import Job, Reply, Submission, now
from libs.storage.jobs import UNFINISHED

RETRY_S = 5.0  # the wait before a reply is sent a second time; it doubles with each further one
MAX_ATTEMPTS = 12  # some six hours

# A reply is due when the last job has ended, or the first one has and no other follows.
DUE = """
select distinct s.id from reply r join submission s on s.id = r.submission where r.send_after <= {} and (
  exists (select 1 from job where job.id = s.outcome and job.status not in ('queued', 'running'))
  or exists (select 1 from job where job.id = s.job and job.status in ('failed', 'cancelled'))
) limit {}
"""


async def called(owner: int, name: str | None) -> Submission | None:
    """The owner's submission of that name."""
    if name is None:
        return None
    return await Submission.objects().where((Submission.owner == owner) & (Submission.name == name)).first()


async def by_id(submission_id: UUID) -> Submission | None:
    return await Submission.objects().where(Submission.id == submission_id).first()


async def add(submission: Submission, store_job: Callable[[], Awaitable[None]], reply: Reply | None) -> bool:
    """Store a message and its job at once; False when the owner has one of that name."""
    try:
        async with transaction():
            await insert(submission)
            await store_job()
            if reply is not None:
                await insert(reply)
    except UniqueViolation:
        return False
    return True


async def outcome_of(submission: Submission) -> Job | None:
    """The job whose end is the answer; None while that is to come."""
    found = await Job.objects().where(Job.id.is_in([submission.job, submission.outcome]))
    ended = {job.id: job for job in found if job.status not in UNFINISHED}
    if submission.outcome in ended:
        return ended[submission.outcome]
    first = ended.get(submission.job)
    return first if first is not None and first.status != JobStatus.COMPLETED else None


async def due(limit: int) -> list[UUID]:
    """Submissions that have come to their end and of which somebody has not been told."""
    return [row["id"] for row in await rows(Submission.raw(DUE, now(), limit))]


async def take_replies(submission: Submission) -> list[Reply]:
    """Those who wait for this outcome, each given to one caller only; until `told` they come again later."""
    moment = now()
    waiting = await Reply.objects().where((Reply.submission == submission.id) & (Reply.send_after <= moment))
    return [reply for reply in waiting if await _take(reply)]


async def told(reply: Reply) -> None:
    """Forget somebody who has the outcome."""
    await Reply.delete().where(Reply.id == reply.id)


async def _take(reply: Reply) -> bool:
    if reply.attempts >= MAX_ATTEMPTS:
        await told(reply)
        return False
    again = now() + timedelta(seconds=RETRY_S * 2**reply.attempts)
    mine = await (
        Reply.update({Reply.attempts: reply.attempts + 1, Reply.send_after: again})
        .where((Reply.id == reply.id) & (Reply.attempts == reply.attempts))
        .returning(Reply.id)
    )
    return bool(mine)
