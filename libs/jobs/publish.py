"""Wake a worker by a message that names a job."""

import structlog

from libs.backends import Backends
from libs.broker import BrokerUnavailable
from libs.broker.message_spans import publishing
from libs.contracts.commands import encode
from libs.contracts.enums import JobKind, Priority
from libs.contracts.topology import Route
from libs.contracts.wake_up import WakeUp
from libs.runtime import tracing
from libs.storage import due_jobs
from libs.storage.database.tables import Job

QUEUES: dict[tuple[str, str], Route] = {
    (JobKind.TRANSFORM, Priority.INTERACTIVE): Route.TRANSFORM,
    (JobKind.TRANSFORM, Priority.BULK): Route.TRANSFORM_BULK,
    (JobKind.INGEST, Priority.INTERACTIVE): Route.INGEST,
    (JobKind.INGEST, Priority.BULK): Route.INGEST_BULK,
    (JobKind.DESCRIBE, Priority.INTERACTIVE): Route.TRANSFORM,  # somebody waits for it
    (JobKind.DESCRIBE, Priority.BULK): Route.DESCRIBE,
    (JobKind.EDIT, Priority.INTERACTIVE): Route.EDIT,
    (JobKind.EDIT, Priority.BULK): Route.EDIT,
    (JobKind.RENDER, Priority.BULK): Route.TRANSFORM_BULK,
}

log = structlog.get_logger(__name__)


async def publish(job: Job, backends: Backends) -> None:
    """Publish a wake-up message; if the broker is unavailable, the next sweep publishes it."""
    headers = {"x-request-id": job.request_id} if job.request_id else {}
    broker, route, id_ = backends.broker, queue_of(job), str(job.id)
    try:
        with publishing(broker.system, route, id_, made_by=job.traceparent, is_one_of_many=bool(job.batch)):
            if traceparent := tracing.traceparent() or (None if job.batch else job.traceparent):
                headers[tracing.HEADER] = traceparent
            await broker.publish(route, encode(WakeUp(job_id=job.id)), message_id=id_, headers=headers)
    except BrokerUnavailable:
        log.warning("publish_failed", job_id=str(job.id), request_id=job.request_id)
        await due_jobs.publish_soon(job.id)


def queue_of(job: Job) -> Route:
    """Return the queue of a job, by its kind and priority."""
    return QUEUES[job.kind, job.priority]
