"""The webhook outbox: delivery rows are inserted in the transaction that ends a job, a batch or an image.

So an end and its webhook events are committed together or not at all. The body of a delivery is fixed here.
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
from libs.runtime import tracing
from libs.storage import idempotency
from libs.storage.database.connection import transaction
from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import Batch, Image, Job, WebhookDelivery, WebhookEndpoint, now
from libs.storage.idempotency import Reservation

ROWS_A_STATEMENT = 500  # SQLite takes 32,766 values at once
EVENTS = {JobStatus.COMPLETED: WebhookEvent.JOB_COMPLETED, JobStatus.FAILED: WebhookEvent.JOB_FAILED}

# A condition on a job's row. It spares jobs without receivers, which most are, the statements below.
HAS_RECEIVER = (
    "(webhook_url is not null or exists (select 1 from webhook_endpoint where owner = job.owner and active))"
)
_JOB_WITH_RECEIVER = Statement(
    Job.raw(f"select * from job where id = {{}} and {HAS_RECEIVER}", Slot("job_id")),  # noqa: S608
    quick=True,
)


class Receiver(Struct, frozen=True):
    """The receiver of an event; without an endpoint, the account's secret signs it."""

    url: str
    endpoint: UUID | None = None


async def add_job_ended(job_id: UUID) -> None:
    """Add the event of a job that has just completed or failed.

    It goes to the job's `webhook_url`. Where another job follows an ingest, that job takes over the URL and
    sends the event when it ends. The event also goes to the owner's endpoints, except for describe and
    render jobs, which prepare an image, and for a batch's jobs, since the batch has an event of its own.
    """
    job = await _JOB_WITH_RECEIVER.first(Job, job_id=job_id)
    if job is None or job.status not in EVENTS:
        return
    event, own_url = EVENTS[JobStatus(job.status)], job.webhook_url
    if own_url is not None and await _passed_on(job):
        own_url = None
    for_endpoints = job.kind not in (JobKind.DESCRIBE, JobKind.RENDER) and job.batch is None
    receivers = await _receivers(job.owner, event, own_url, endpoints=for_endpoints)
    if receivers:
        payload = await _job_payload(job, event)
        await _insert(_deliveries(payload, receivers, job.owner, job.id, job.request_id))


async def add_batch_ended(batch_id: UUID) -> None:
    """Add the event of a batch that has just ended, for its `webhook_url` and its owner's endpoints."""
    batch = await Batch.objects().where(Batch.id == batch_id).first()
    if batch is None:
        return
    receivers = await _receivers(batch.owner, WebhookEvent.BATCH_COMPLETED, batch.webhook_url)
    await _insert(_deliveries(_batch_payload(batch), receivers, batch.owner, batch.id, str(batch.id)))


async def add_images_expired(image_ids: Sequence[UUID]) -> None:
    """Add the events of images that have just been marked as deleting because they expired."""
    by_owner: defaultdict[int, list[Image]] = defaultdict(list)
    for image in await Image.objects().where(Image.id.is_in(list(image_ids))) if image_ids else ():
        by_owner[image.owner].append(image)
    for owner, images in by_owner.items():
        receivers = await _receivers(owner, WebhookEvent.IMAGE_EXPIRED, None)
        await _insert(
            [
                delivery
                for image in images
                for delivery in _deliveries(_image_payload(image), receivers, owner, image.id)
            ]
        )


async def add_test(
    endpoint: WebhookEndpoint, request_id: str | None, reservation: Reservation | None = None
) -> WebhookDelivery:
    """Add a `webhook.test` event for one endpoint; return its delivery."""
    payload = WebhookTestPayload(timestamp=now(), data=WebhookTestData(webhook_id=endpoint.id))
    receivers = [Receiver(endpoint.url, endpoint.id)]
    delivery = _deliveries(payload, receivers, endpoint.owner, None, request_id)[0]
    async with transaction():
        await delivery.save()
        await idempotency.bind(reservation, subject=delivery.id)
    return delivery


def target_of(owner: int, url: str) -> int:
    """Return a signed 64-bit hash of a receiver: equal for deliveries of one owner to one URL."""
    digest = hashlib.blake2b(f"{owner} {url}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


async def _passed_on(job: Job) -> bool:
    """Pass the job's `webhook_url` on to the job that follows it; return whether there is one."""
    if job.kind != JobKind.INGEST or job.status != JobStatus.COMPLETED:
        return False
    command = decode(job.command)
    if not isinstance(command, IngestImage) or command.follow is None:
        return False
    followers = await (
        Job.update({Job.webhook_url: job.webhook_url})
        .where(Job.id == command.follow.job_id)
        .returning(Job.id)
    )
    return bool(followers)


async def _receivers(
    owner: int, event: WebhookEvent, own_url: str | None, *, endpoints: bool = True
) -> list[Receiver]:
    """Return the receivers; a `webhook_url` that is also an endpoint's URL counts once, as the endpoint."""
    subscribed = await _subscribed(owner, event) if endpoints else ()
    receivers = [Receiver(endpoint.url, endpoint.id) for endpoint in subscribed]
    if own_url is not None and all(receiver.url != own_url for receiver in receivers):
        receivers.append(Receiver(own_url))
    return receivers


async def _subscribed(owner: int, event: WebhookEvent) -> Iterable[WebhookEndpoint]:
    query = WebhookEndpoint.objects().where(
        (WebhookEndpoint.owner == owner) & (WebhookEndpoint.active == True)  # noqa: E712 - a column
    )
    if isinstance(WebhookEndpoint._meta.db, PostgresEngine):  # pyright: ignore[reportPrivateUsage]
        # An endpoint that is being deleted meanwhile must not fail the transaction.
        query = query.lock_rows("KEY SHARE")
    return [
        endpoint for endpoint in await query if event in msgspec.json.decode(endpoint.events, type=list[str])
    ]


def _deliveries(
    payload: AnyPayload,
    receivers: Sequence[Receiver],
    owner: int,
    subject: UUID | None,
    request_id: str | None = None,
) -> list[WebhookDelivery]:
    """Build a delivery to each receiver; the caller stores them."""
    body = encode(payload).decode()
    return [
        WebhookDelivery(
            owner=owner,
            endpoint=receiver.endpoint,
            url=receiver.url,
            target=target_of(owner, receiver.url),
            event=payload.type,
            subject=subject,
            request_id=request_id,
            traceparent=tracing.traceparent(),
            body=body,
        )
        for receiver in receivers
    ]


async def _insert(deliveries: Sequence[WebhookDelivery]) -> None:
    for start in range(0, len(deliveries), ROWS_A_STATEMENT):
        await WebhookDelivery.insert(*deliveries[start : start + ROWS_A_STATEMENT])


async def _job_payload(job: Job, event: WebhookEvent) -> JobPayload:
    result = await Image.objects().where(Image.id == job.result).first() if job.result else None
    failed = event is WebhookEvent.JOB_FAILED
    data = JobData(
        job_id=job.id,
        kind=JobKind(job.kind),
        status="failed" if failed else "completed",
        image_id=job.image,
        result_id=job.result,
        result=_image_data(result) if result else None,
        error_code=job.error_code,
        error=job.error and job.error[:ERROR_CHARS],
        attempts=job.attempts,
        request_id=job.request_id,
        created_at=job.created_at,
        finished_at=job.finished_at,
    )
    return JobPayload(type="job.failed" if failed else "job.completed", timestamp=job.finished_at, data=data)


def _batch_payload(batch: Batch) -> BatchPayload:
    data = BatchData(
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
    return BatchPayload(timestamp=moment, request_id=batch.id, status=batch.status, data=data)


def _image_payload(image: Image) -> ImagePayload:
    return ImagePayload(timestamp=now(), data=_image_data(image))


def _image_data(image: Image) -> ImageData:
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
