"""Functions over accepted AMQP orders, and over the replies that their senders wait for."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from msgspec import Struct

from libs.contracts.enums import JobStatus
from libs.contracts.outcome import Outcome
from libs.storage.database.engine import rows
from libs.storage.database.errors import UniqueViolation
from libs.storage.database.statement import insert
from libs.storage.database.tables import AcceptedOrder, Job, Reply, now
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

    order: AcceptedOrder
    reply: Reply | None = None


async def by_name(owner: int, name: str | None) -> AcceptedOrder | None:
    """Return the owner's order of that name; None when there is none."""
    if name is None:
        return None
    mine = (AcceptedOrder.owner == owner) & (AcceptedOrder.name == name)
    return await AcceptedOrder.objects().where(mine).first()


async def by_id(order_id: UUID) -> AcceptedOrder | None:
    """Return an accepted order."""
    return await AcceptedOrder.objects().where(AcceptedOrder.id == order_id).first()


async def add(receipt: Receipt, job: UUID, outcome: UUID) -> None:
    """Store a receipt in the transaction that stores its job; the end of job `outcome` answers it.

    Raises:
        OrderKnown: The owner has an order of that name; the transaction is void.
    """
    receipt.order.job, receipt.order.outcome = job, outcome
    try:
        await insert(receipt.order)
    except UniqueViolation as error:
        raise OrderKnown(f"there is an order {receipt.order.name} already") from error
    if receipt.reply is not None:
        await insert(receipt.reply)


async def ended_job(order: AcceptedOrder) -> Job | None:
    """Return the job whose outcome is the order's reply; None while it has not ended."""
    found = await Job.objects().where(Job.id.is_in([order.job, order.outcome]))
    ended = {job.id: job for job in found if job.status not in UNFINISHED}
    if order.outcome in ended:
        return ended[order.outcome]
    first = ended.get(order.job)
    return first if first is not None and first.status != JobStatus.COMPLETED else None


async def due(limit: int) -> list[UUID]:
    """Return orders whose outcome is known and whose replies are due."""
    return [row["id"] for row in await rows(AcceptedOrder.raw(DUE, now(), now(), limit))]


async def take_replies(order: AcceptedOrder) -> list[Reply]:
    """Take the due replies of an order, each for one caller only; until removed they fall due again."""
    moment = now()
    waiting = await Reply.objects().where((Reply.order == order.id) & (Reply.send_after <= moment))
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
