"""Publish events: jobs, batches and images that ended."""

from uuid import UUID

import structlog
from msgspec.structs import replace

from libs.auth.links import sign_link
from libs.backends import Backends
from libs.broker import BrokerUnavailable
from libs.contracts.commands import encode
from libs.contracts.events import AnyEvent, JobEnded
from libs.storage.database.tables import Image
from libs.storage.job_failure import Failure

log = structlog.get_logger(__name__)


async def publish_event(event: AnyEvent, backends: Backends) -> None:
    """Publish an event; if the broker is unavailable, the event is dropped; the rows have the outcome."""
    try:
        await backends.broker.emit(event.type, encode(event))
    except BrokerUnavailable:
        log.warning("event_lost", event_type=event.type)


def job_completed(job_id: UUID, owner: str, image: Image | None, backends: Backends) -> JobEnded:
    """Build the event of a job's success; `image` is its result, if it still exists."""
    event = JobEnded(type="job.completed", job_id=job_id, owner=owner, status="completed")
    if image is None:
        return event
    settings = backends.settings
    token = sign_link(settings.secret_key, image.id, ttl_s=settings.link_s)
    link = f"{settings.public_url}/d/{token}"
    return replace(event, image_id=image.id, object_key=image.object_key, link=link)


def job_failed(job_id: UUID, owner: str, failure: Failure) -> JobEnded:
    """Build the event of a job's failure."""
    return JobEnded(
        type="job.failed",
        job_id=job_id,
        owner=owner,
        status="failed",
        error_code=failure.code,
        error=failure.detail,
    )


def job_cancelled(job_id: UUID, owner: str) -> JobEnded:
    """Build the event of a cancelled job."""
    return JobEnded(type="job.cancelled", job_id=job_id, owner=owner, status="cancelled")
