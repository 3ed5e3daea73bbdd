"""The end of a job, once its row says so: publish the event, the batch's event, and reply to the order."""

from uuid import UUID

import structlog
from msgspec import Struct
from msgspec.structs import replace

from libs.backends import Backends
from libs.contracts.commands import AnyCommand, IngestImage, decode
from libs.contracts.events import BatchCompleted, JobEnded
from libs.jobs import events, replies
from libs.storage import accepted_orders
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import Image, Job
from libs.storage.job_failure import Failure

log = structlog.get_logger(__name__)


class JobEnd(Struct, frozen=True, kw_only=True):
    """A job that has ended; its row, webhook deliveries and the count of its batch are committed."""

    event: JobEnded
    order: UUID | None = None  # the order that this end answers
    batch: BatchCompleted | None = None  # the batch whose last job this was


def completed(
    command: AnyCommand, image: Image | None, backends: Backends, batch: BatchCompleted | None = None
) -> JobEnd:
    """Describe a success; `image` is the result. Where another job follows, its end answers the order."""
    event = events.job_completed(command.job_id, command.owner, image, backends)
    follows = isinstance(command, IngestImage) and command.follow is not None
    return JobEnd(event=event, order=None if follows else command.order, batch=batch)


def failed(command: AnyCommand, failure: Failure, batch: BatchCompleted | None = None) -> JobEnd:
    """Describe a failure."""
    event = events.job_failed(command.job_id, command.owner, failure)
    return JobEnd(event=event, order=command.order, batch=batch)


def cancelled(job: Job, owner: str, batch: BatchCompleted | None = None) -> JobEnd:
    """Describe a job that its owner cancelled."""
    order = decode(job.command).order
    return JobEnd(event=events.job_cancelled(job.id, owner), order=order, batch=batch)


async def publish_end(end: JobEnd, backends: Backends) -> None:
    """Publish the events and reply to the order; what fails is sent by the scheduler later."""
    order = None
    if end.order is not None:
        try:
            order = await accepted_orders.by_id(end.order)
        except DatabaseUnavailable as error:
            log.warning("reply_waits", order=str(end.order), error=str(error))
    name = order.name if order else None
    await events.publish_event(replace(end.event, message_id=name), backends)
    if order is not None:
        try:
            await replies.reply(order, backends)
        except DatabaseUnavailable as error:
            log.warning("reply_waits", order=str(order.id), error=str(error))
    if end.batch is not None:
        await events.publish_event(end.batch, backends)
