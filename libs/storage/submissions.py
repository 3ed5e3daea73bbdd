"""Functions over the receipts of AMQP orders, and over the replies that their senders wait for."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from msgspec import Struct

from libs.contracts.enums import JobStatus
from libs.contracts.outcome import Outcome
from libs.storage.database.engine import rows
from libs.storage.database.errors import UniqueViolation
from libs.storage.database.statement import insert
from libs.storage.database.tables import Job, Reply, Submission, now
from libs.storage.jobs import UNFINISHED

RETRY_S = 5.0  # the wait before a reply is sent a second time; it doubles with each further one
MAX_ATTEMPTS = 12  # some six hours

# A reply is due when the last job has ended, or the first one has failed and no other follows.
DUE = """
select distinct s.id from reply r join submission s on s.id = r.submission where r.send_after <= {} and (
  exists (select 1 from job where job.id = s.outcome and job.status not in ('queued', 'running'))
  or exists (select 1 from job where job.id = s.job and job.status in ('failed', 'cancelled'))
) and s.id not in (select id from set_aside where retry_at > {}) limit {}
"""


class OrderKnown(Exception):
    """The owner has sent an order of this name before."""

    code = "order_known"
    outcome: ClassVar[Outcome] = "refused"


class Receipt(Struct, frozen=True):
    """An order that was accepted, and the queue that waits for its outcome."""

    submission: Submission
    reply: Reply | None = None


async def by_name(owner: int, name: str | None) -> Submission | None:
    """Return the owner's order of that name; None when there is none."""
    if name is None:
        return None
    return await Submission.objects().where((Submission.owner == owner) & (Submission.name == name)).first()


async def by_id(submission_id: UUID) -> Submission | None:
    """Return an order's receipt."""
    return await Submission.objects().where(Submission.id == submission_id).first()


async def add(receipt: Receipt, job: UUID, outcome: UUID) -> None:
    """Store a receipt in the transaction that stores its job; the end of job `outcome` answers it.

    Raises:
        OrderKnown: The owner has an order of that name; the transaction is void.
    """
    receipt.submission.job, receipt.submission.outcome = job, outcome
    try:
        await insert(receipt.submission)
    except UniqueViolation as error:
        raise OrderKnown(f"there is an order {receipt.submission.name} already") from error
    if receipt.reply is not None:
        await insert(receipt.reply)


async def ended_job(submission: Submission) -> Job | None:
    """Return the job whose outcome is the order's reply; None while it has not ended."""
    found = await Job.objects().where(Job.id.is_in([submission.job, submission.outcome]))
    ended = {job.id: job for job in found if job.status not in UNFINISHED}
    if submission.outcome in ended:
        return ended[submission.outcome]
    first = ended.get(submission.job)
    return first if first is not None and first.status != JobStatus.COMPLETED else None


async def due(limit: int) -> list[UUID]:
    """Return orders whose outcome is known and whose replies are due."""
    return [row["id"] for row in await rows(Submission.raw(DUE, now(), now(), limit))]


async def take_replies(submission: Submission) -> list[Reply]:
    """Take the due replies of an order, each for one caller only; until removed they fall due again."""
    moment = now()
    waiting = await Reply.objects().where((Reply.submission == submission.id) & (Reply.send_after <= moment))
    return [reply for reply in waiting if await _take(reply)]


async def remove_reply(reply: Reply) -> None:
    """Remove a reply that was sent, or whose attempts are used up."""
    await Reply.delete().where(Reply.id == reply.id)


async def _take(reply: Reply) -> bool:
    if reply.attempts >= MAX_ATTEMPTS:
        await remove_reply(reply)
        return False
    again = now() + timedelta(seconds=RETRY_S * 2**reply.attempts)
    mine = await (
        Reply.update({Reply.attempts: reply.attempts + 1, Reply.send_after: again})
        .where((Reply.id == reply.id) & (Reply.attempts == reply.attempts))
        .returning(Reply.id)
    )
    return bool(mine)
