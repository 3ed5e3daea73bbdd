"""From rows to the shapes that clients see."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from libs.contracts.commands import AnyCommand, EditImage, IngestImage, TransformImage, decode
from libs.contracts.enums import JobKind, JobStatus, Priority, Retention
from libs.contracts.views.accounts import Account, EditsView, EditUsageView, UsageView
from libs.contracts.views.images import ImageView, Metadata, WireStatus
from libs.contracts.views.jobs import JobView
from libs.contracts.views.request_body import Operations
from libs.imaging.hashing import hex64
from libs.settings import Settings
from libs.storage import edit_calls, images, jobs, usage
from libs.storage.database.tables import BaseUser, Image, Job, now

Pace: TypeAlias = Mapping[str, float]  # by kind of job, in seconds
NO_PACE: Pace = MappingProxyType({})

WIRE_STATUS: dict[str, WireStatus] = {
    JobStatus.QUEUED: "pending",
    JobStatus.RUNNING: "processing",
    JobStatus.COMPLETED: "completed",
    JobStatus.CANCELLED: "completed",
    JobStatus.FAILED: "failed",
}


def account(user: BaseUser) -> Account:
    """An account, without its password."""
    return Account(id=user.id, username=user.username, email=user.email, last_login=user.last_login)


async def usage_of(user: BaseUser, settings: Settings) -> UsageView:
    """What an account uses of what is limited."""
    held = await usage.of(user.id)
    today, total = await edit_calls.used_today(user.id), await edit_calls.used_ever(user.id)
    return UsageView(
        stored_bytes=held.stored_bytes,
        quota_bytes=settings.quota_bytes,
        waiting_jobs=held.waiting_jobs,
        quota_jobs=settings.quota_jobs,
        edits=EditsView(
            configured=settings.edits,
            per_day=settings.edits_per_day,
            today=EditUsageView(**msgspec.structs.asdict(today)),
            total=EditUsageView(**msgspec.structs.asdict(total)),
        ),
    )


async def image_views(found: Sequence[Image], at: str) -> list[ImageView]:
    """Images with the state of their newest job and its result; three queries, however many images."""
    newest: dict[Any, Job] = {}
    result_ids: dict[Any, UUID] = {}
    for job in await jobs.newest_of([image.id for image in found]):
        newest.setdefault(job.image, job)
        if job.result is not None:
            result_ids.setdefault(job.image, job.result)
    results = {image.id: image for image in await images.by_ids(list(result_ids.values()))}
    pace = await pace_of(newest.values())
    return [
        image_view(
            image,
            newest.get(image.id),
            at,
            result=results.get(result_ids.get(image.id, image.id)),
            pace=pace,
        )
        for image in found
    ]


async def pace_of(found: Iterable[Job]) -> Pace:
    """How long jobs of the kinds that are not done yet take."""
    kinds = {job.kind for job in found if job.status in jobs.UNFINISHED}
    return {kind: await jobs.typical_s(kind) for kind in kinds}


async def one_image(image: Image, at: str) -> ImageView:
    """One image with the state of its newest job and its result."""
    return (await image_views([image], at))[0]


def image_view(
    image: Image, job: Job | None, at: str, *, result: Image | None = None, pace: Pace = NO_PACE
) -> ImageView:
    """One image; `job` is its newest, `result` what the newest successful one made."""
    failed = job is not None and job.status == JobStatus.FAILED
    ready_at = _ready_at(image, job, pace)
    url = f"{at}/api/images/{image.id}"
    return ImageView(
        id=image.id,
        filename=image.filename,
        status=WIRE_STATUS[job.status] if job else "completed",
        error_code=job.error_code if job and failed else None,
        error=job.error if job and failed else None,
        format=image.format,
        mime=image.mime,
        width=image.width,
        height=image.height,
        frames=image.frames,
        size_bytes=image.size_bytes,
        md5=image.md5,
        phash=None if image.phash is None else hex64(image.phash),
        parent=image.parent,
        source_url=image.source_url,
        retention=Retention(image.retention),
        first_downloaded_at=image.first_downloaded_at,
        expires_at=image.expires_at,
        created_at=image.created_at,
        updated_at=image.updated_at,
        url=url,
        download_url=f"{url}/download",
        job_id=job.id if job else None,
        estimated_ready_at=ready_at,
        seconds_remaining=None if ready_at is None else max(0, ceil((ready_at - now()).total_seconds())),
        image_url=image.source_url,
        md5_hash=image.md5,
        image_format=image.format,
        detail_url=url,
        result=image_view(result, None, at) if result else None,
    )


def _ready_at(image: Image, job: Job | None, pace: Pace) -> datetime | None:
    """When it was ready or probably will be; a job that takes longer than most is always about to end."""
    if job is None or job.status == JobStatus.FAILED:
        return image.created_at if job is None else None
    if job.status not in jobs.UNFINISHED:
        return job.finished_at or image.created_at
    soon = now() + timedelta(seconds=1)
    return max(soon, job.created_at + timedelta(seconds=pace.get(job.kind, jobs.FIRST_GUESS_S)))


def job_view(job: Job, at: str) -> JobView:
    """One job, with the operations of its command."""
    command = decode(job.command)
    return JobView(
        id=job.id,
        kind=JobKind(job.kind),
        status=JobStatus(job.status),
        image_id=command.target if isinstance(command, IngestImage) and command.replaces else job.image,
        result_id=job.result,
        operations=_operations(command),
        priority=Priority(job.priority),
        attempts=job.attempts,
        error_code=job.error_code,
        error=job.error,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        url=f"{at}/api/jobs/{job.id}",
        download_url=f"{at}/api/images/{job.result}/download" if job.result else None,
    )


def _operations(command: AnyCommand) -> Operations | None:
    if isinstance(command, IngestImage):
        return command.follow.operations if command.follow else command.operations
    return command.operations if isinstance(command, TransformImage | EditImage) else None


def metadata(image: Image) -> Metadata | None:
    """What a full decode of an image told; None when there was none, or one that told less than today's."""
    if image.phash is None or image.metadata is None:
        return None
    told: dict[str, Any] = msgspec.json.decode(image.metadata)
    try:
        return msgspec.convert(told | {"id": image.id}, Metadata)
    except msgspec.ValidationError:
        return None
