"""Putting notices on their way: called inside the transaction that brings something to its end.

No end without its notice, and no notice without its end, whatever is killed when. Each delivery's body is
made here, once and for all.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec
from msgspec import Struct
from piccolo.engine.postgres import PostgresEngine

from libs.contracts.commands import IngestImage, decode, encode
from libs.contracts.enums import JobKind, JobStatus, WebhookEvent
from libs.contracts.webhook_events import (
    ERROR_CHARS,
    AnyPayload,
    BatchData,
    BatchPayload,
    ImageData,
    ImagePayload,
    JobData,
    JobPayload,
    WebhookTestData,
    WebhookTestPayload,
)
from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import Batch, Image, Job, WebhookDelivery, WebhookEndpoint, now

ROWS_A_STATEMENT = 500  # SQLite takes 32,766 values at once
EVENTS = {JobStatus.COMPLETED: WebhookEvent.JOB_COMPLETED, JobStatus.FAILED: WebhookEvent.JOB_FAILED}

# A condition on a job's row. Most jobs have nobody to tell: it spares them all that follows.
HAS_RECEIVER = (
    "(webhook_url is not null or exists (select 1 from webhook_endpoint where owner = job.owner and active))"
)
_AWAITED = Statement(Job.raw(f"select * from job where id = {{}} and {HAS_RECEIVER}", Slot("job_id")))  # noqa: S608


class Receiver(Struct, frozen=True):
    """Where one notice goes; without an endpoint the account's own secret signs it."""

    url: str
    endpoint: UUID | None = None


async def of_job(job_id: UUID) -> None:
    """Tell of a job that has just completed or failed.

    The address given with the job is told; where another job follows on a fetched image, that one carries the
    address on, and tells in the end. Endpoints are told of all jobs that somebody asked for: not of
    describing, and not of a batch's jobs, for which the batch speaks.
    """
    job = await _AWAITED.first(Job, job_id=job_id)
    if job is None or job.status not in EVENTS:
        return
    event, own_url = EVENTS[JobStatus(job.status)], job.webhook_url
    if own_url is not None and await _carried_on(job):
        own_url = None
    of_itself = job.kind != JobKind.DESCRIBE and job.batch is None
    receivers = await _receivers(job.owner, event, own_url, endpoints=of_itself)
    if receivers:
        notice = await _job_notice(job, event)
        await _insert(_addressed(notice, receivers, job.owner, job.id, job.request_id))


async def of_batch(batch_id: UUID) -> None:
    """Tell of a batch that has just ended, the address given with it and the endpoints of its owner."""
    batch = await Batch.objects().where(Batch.id == batch_id).first()
    if batch is None:
        return
    receivers = await _receivers(batch.owner, WebhookEvent.BATCH_COMPLETED, batch.webhook_url)
    await _insert(_addressed(_batch_notice(batch), receivers, batch.owner, batch.id, str(batch.id)))


async def of_expired_images(image_ids: Sequence[UUID]) -> None:
    """Tell of images that have just been marked to go because their time was over."""
    gone: defaultdict[int, list[Image]] = defaultdict(list)
    for image in await Image.objects().where(Image.id.is_in(list(image_ids))) if image_ids else ():
        gone[image.owner].append(image)
    for owner, images in gone.items():
        receivers = await _receivers(owner, WebhookEvent.IMAGE_EXPIRED, None)
        told = [(image, ImagePayload(timestamp=now(), data=_image_told(image))) for image in images]
        await _insert(
            [one for image, notice in told for one in _addressed(notice, receivers, owner, image.id)]
        )


async def trial(endpoint: WebhookEndpoint, request_id: str | None) -> WebhookDelivery:
    """A notice of nothing, for one endpoint."""
    notice = WebhookTestPayload(timestamp=now(), data=WebhookTestData(webhook_id=endpoint.id))
    receivers = [Receiver(endpoint.url, endpoint.id)]
    delivery = _addressed(notice, receivers, endpoint.owner, None, request_id)[0]
    await delivery.save()
    return delivery


def target_of(owner: int, url: str) -> int:
    """What deliveries to one address of one owner have in common: a signed 64-bit hash."""
    digest = hashlib.blake2b(f"{owner} {url}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


async def _carried_on(job: Job) -> bool:
    """Whether another job, that follows on this one, has taken its address over."""
    if job.kind != JobKind.INGEST or job.status != JobStatus.COMPLETED:
        return False
    command = decode(job.command)
    if not isinstance(command, IngestImage) or command.follow is None:
        return False
    carried = await (
        Job.update({Job.webhook_url: job.webhook_url})
        .where(Job.id == command.follow.job_id)
        .returning(Job.id)
    )
    return bool(carried)


async def _receivers(
    owner: int, event: WebhookEvent, own_url: str | None, *, endpoints: bool = True
) -> list[Receiver]:
    """Who is to be told; an address that is an endpoint's, too, is told once, as the endpoint."""
    found = [Receiver(one.url, one.id) for one in await _subscribed(owner, event)] if endpoints else []
    if own_url is not None and all(one.url != own_url for one in found):
        found.append(Receiver(own_url))
    return found


async def _subscribed(owner: int, event: WebhookEvent) -> Iterable[WebhookEndpoint]:
    query = WebhookEndpoint.objects().where(
        (WebhookEndpoint.owner == owner) & (WebhookEndpoint.active == True)  # noqa: E712 - a column
    )
    if isinstance(WebhookEndpoint._meta.db, PostgresEngine):  # pyright: ignore[reportPrivateUsage]
        query = query.lock_rows("KEY SHARE")  # one that is just being deleted must not fail the transaction
    return [one for one in await query if event in msgspec.json.decode(one.events, type=list[str])]


def _addressed(
    notice: AnyPayload,
    receivers: Sequence[Receiver],
    owner: int,
    subject: UUID | None,
    request_id: str | None = None,
) -> list[WebhookDelivery]:
    """One delivery to each receiver; not stored yet."""
    body = encode(notice).decode()
    return [
        WebhookDelivery(
            owner=owner,
            endpoint=one.endpoint,
            url=one.url,
            target=target_of(owner, one.url),
            event=notice.type,
            subject=subject,
            request_id=request_id,
            body=body,
        )
        for one in receivers
    ]


async def _insert(deliveries: Sequence[WebhookDelivery]) -> None:
    for start in range(0, len(deliveries), ROWS_A_STATEMENT):
        await WebhookDelivery.insert(*deliveries[start : start + ROWS_A_STATEMENT])


async def _job_notice(job: Job, event: WebhookEvent) -> JobPayload:
    result = await Image.objects().where(Image.id == job.result).first() if job.result else None
    failed = event is WebhookEvent.JOB_FAILED
    told = JobData(
        job_id=job.id,
        kind=JobKind(job.kind),
        status="failed" if failed else "completed",
        image_id=job.image,
        result_id=job.result,
        result=_image_told(result) if result else None,
        error_code=job.error_code,
        error=job.error and job.error[:ERROR_CHARS],
        attempts=job.attempts,
        request_id=job.request_id,
        created_at=job.created_at,
        finished_at=job.finished_at,
    )
    return JobPayload(type="job.failed" if failed else "job.completed", timestamp=job.finished_at, data=told)


def _batch_notice(batch: Batch) -> BatchPayload:
    told = BatchData(
        batch_id=batch.id,
        filename=batch.filename,
        status=batch.status,
        total=batch.total,
        completed=batch.completed,
        failed=batch.failed,
        created_at=batch.created_at,
        finished_at=batch.finished_at,
    )
    moment = batch.finished_at or now()
    return BatchPayload(timestamp=moment, request_id=batch.id, status=batch.status, data=told)


def _image_told(image: Image) -> ImageData:
    return ImageData(
        id=image.id,
        parent=image.parent,
        filename=image.filename,
        format=image.format,
        mime=image.mime,
        width=image.width,
        height=image.height,
        frames=image.frames,
        size_bytes=image.size_bytes,
        md5=image.md5,
        expires_at=image.expires_at,
    )
