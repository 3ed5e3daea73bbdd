"""Waking a worker for a queued job."""

import structlog

from libs.backends import Backends
from libs.broker import BrokerUnavailable
from libs.contracts.commands import AnyCommand, DescribeImage, EditImage, IngestImage, decode, encode
from libs.contracts.enums import Priority
from libs.contracts.orders import Wake
from libs.contracts.topology import Route
from libs.storage import jobs
from libs.storage.database.tables import Job

log = structlog.get_logger(__name__)


async def publish(job: Job, backends: Backends) -> None:
    """Wake a worker; when the broker is away the sweep does it later."""
    message = decode(job.command)
    headers = {"x-request-id": job.request_id} if job.request_id else {}
    try:
        await backends.broker.publish(
            route_of(message, job), encode(Wake(job_id=job.id)), message_id=str(job.id), headers=headers
        )
    except BrokerUnavailable:
        log.warning("publish_failed", job_id=str(job.id), request_id=job.request_id)
        await jobs.publish_soon(job.id)


def route_of(message: AnyCommand, job: Job) -> Route:
    """The queue a job's message belongs on."""
    if isinstance(message, EditImage):
        return Route.EDIT
    if isinstance(message, IngestImage):
        return Route.INGEST_BULK if job.priority == Priority.BULK else Route.INGEST
    if isinstance(message, DescribeImage) and job.priority == Priority.BULK:
        return Route.DESCRIBE
    return Route.TRANSFORM_BULK if job.priority == Priority.BULK else Route.TRANSFORM
