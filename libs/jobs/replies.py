"""Reply to AMQP orders: the outcome goes to every queue that a sender named in `reply_to`."""

import structlog
from msgspec.structs import replace

from libs.backends import Backends
from libs.broker import BrokerUnavailable
from libs.contracts.commands import encode
from libs.contracts.enums import JobStatus
from libs.contracts.events import JobEnded
from libs.jobs import events
from libs.storage import accepted_orders, accounts, images, set_aside
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import AcceptedOrder, Job
from libs.storage.job_failure import Failure

BATCH = 200

log = structlog.get_logger(__name__)


async def reply(order: AcceptedOrder, backends: Backends) -> int:
    """Send the outcome, if there is one, to everybody who still waits for it; return how many got it."""
    job = await accepted_orders.ended_job(order)
    if job is None:
        return 0
    waiting = await accepted_orders.take_replies(order)
    body = encode(await _outcome(job, order, backends)) if waiting else b""
    sent = 0
    for one in waiting:
        try:
            await backends.broker.reply(one.reply_to, body, correlation_id=one.correlation_id)
        except BrokerUnavailable as error:
            log.warning("reply_waits", order=str(order.id), error=str(error))
            continue
        await accepted_orders.remove_reply(one)
        sent += 1
    return sent


async def send_due_replies(backends: Backends) -> int:
    """Send replies that a killed worker or an absent broker left unsent; return how many were sent.

    An order whose reply breaks this is set aside and does not hold up the others.
    """
    sent = 0
    for order_id in await accepted_orders.due(BATCH):
        try:
            order = await accepted_orders.by_id(order_id)
            if order is not None:
                sent += await reply(order, backends)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            log.exception("reply_set_aside", order=str(order_id))
            await set_aside.put("reply", {order_id: repr(error)})
    return sent


async def _outcome(job: Job, order: AcceptedOrder, backends: Backends) -> JobEnded:
    owner = await accounts.username_of(job.owner)
    if job.status == JobStatus.COMPLETED:
        image = None if job.result is None else await images.by_id(job.result)
        event = events.job_completed(job.id, owner, image, backends)
    elif job.status == JobStatus.CANCELLED:
        event = events.job_cancelled(job.id, owner)
    else:
        event = events.job_failed(job.id, owner, Failure(job.error_code or "", job.error or ""))
    return replace(event, message_id=order.name)
