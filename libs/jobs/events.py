"""Telling whoever listens what happened."""

from collections.abc import Sequence
from uuid import UUID

import structlog

from libs.backends import Backends
from libs.broker import BrokerUnavailable
from libs.contracts.commands import encode
from libs.contracts.events import AnyEvent, JobEnded

log = structlog.get_logger(__name__)


async def announce(event: AnyEvent, backends: Backends) -> None:
    """Publish an event; the row has told it already, so a broker that is away loses nothing."""
    try:
        await backends.broker.emit(event.type, encode(event))
    except BrokerUnavailable:
        log.warning("event_lost", event_type=event.type)


async def announce_cancelled(job_ids: Sequence[UUID], owner: str, backends: Backends) -> None:
    """Tell workers and waiters that jobs were stopped."""
    for job_id in job_ids:
        ended = JobEnded(type="job.cancelled", job_id=job_id, owner=owner, status="cancelled")
        await announce(ended, backends)
