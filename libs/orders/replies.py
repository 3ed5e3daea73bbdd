"""Telling the end of a job: to everybody by an event, and to whoever waits for it in the broker."""

from uuid import UUID

import structlog
from msgspec.structs import replace

from libs.auth.links import sign_link
from libs.backends import Backends
from libs.broker import BrokerUnavailable
from libs.contracts.commands import AnyCommand, IngestImage, encode
from libs.contracts.enums import JobStatus
from libs.contracts.events import AnyEvent, JobEnded
from libs.jobs.events import announce
from libs.storage import accounts, images, submissions
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import Image, Job, Submission

BATCH = 200

log = structlog.get_logger(__name__)


async def tell(event: AnyEvent, command: AnyCommand, backends: Backends) -> None:
    """Announce the end of a job, or what came with it, and answer those who sent it from outside."""
    if command.submission is None or not isinstance(event, JobEnded) or _goes_on(event, command):
        await announce(event, backends)
        return
    try:
        submission = await submissions.by_id(command.submission)
        await announce(replace(event, message_id=submission.name if submission else None), backends)
        if submission is not None:
            await answer(submission, backends)
    except DatabaseUnavailable as error:
        log.warning("answer_waits", submission=str(command.submission), error=str(error))


async def answer(submission: Submission, backends: Backends) -> int:
    """Send the outcome, if there is one, to those who have not had it; how many were told."""
    job = await submissions.outcome_of(submission)
    if job is None:
        return 0
    replies = await submissions.take_replies(submission)
    body = encode(await _outcome(job, submission, backends)) if replies else b""
    told = 0
    for reply in replies:
        try:
            await backends.broker.reply(reply.reply_to, body, correlation_id=reply.correlation_id)
        except BrokerUnavailable as error:
            log.warning("answer_waits", submission=str(submission.id), error=str(error))
            continue
        await submissions.told(reply)
        told += 1
    return told


async def answer_left(backends: Backends) -> int:
    """Send what a worker was killed before sending, and what the broker did not take; how many."""
    told = 0
    for submission_id in await submissions.due(BATCH):
        submission = await submissions.by_id(submission_id)
        if submission is not None:
            told += await answer(submission, backends)
    return told


def completed(job_id: UUID, owner: str, image: Image | None, backends: Backends) -> JobEnded:
    """The event of a job's success; `image` is its result, as far as that is still there."""
    settings = backends.settings
    event = JobEnded(type="job.completed", job_id=job_id, owner=owner, status="completed")
    if image is None:
        return event
    token = sign_link(settings.secret_key, image.id, ttl_s=settings.link_s)
    return replace(
        event, image_id=image.id, object_key=image.object_key, link=f"{settings.public_url}/d/{token}"
    )


def _goes_on(event: JobEnded, command: AnyCommand) -> bool:
    """Whether another job follows, whose end is the outcome."""
    return event.status == "completed" and isinstance(command, IngestImage) and command.follow is not None


async def _outcome(job: Job, submission: Submission, backends: Backends) -> JobEnded:
    owner = await accounts.username_of(job.owner)
    if job.status == JobStatus.COMPLETED:
        image = None if job.result is None else await images.by_id(job.result)
        event = completed(job.id, owner, image, backends)
    elif job.status == JobStatus.CANCELLED:
        event = JobEnded(type="job.cancelled", job_id=job.id, owner=owner, status="cancelled")
    else:
        event = JobEnded(
            type="job.failed",
            job_id=job.id,
            owner=owner,
            status="failed",
            error_code=job.error_code,
            error=job.error,
        )
    return replace(event, message_id=submission.name)
