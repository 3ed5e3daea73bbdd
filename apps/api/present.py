"""From rows to the shapes that clients see."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request

from libs.backends import Backends
from libs.contracts.messages import AnyMessage, IngestImage, TransformImage, decode
from libs.contracts.views import Account, ImageView, JobView, Metadata, Operations, WireStatus
from libs.contracts.words import JobKind, JobStatus, Priority, Retention
from libs.imaging.hashing import hex64
from libs.settings import Settings
from libs.storage import images, jobs
from libs.storage.tables import BaseUser, Image, Job

WIRE_STATUS: dict[str, WireStatus] = {
    JobStatus.QUEUED: "pending",
    JobStatus.RUNNING: "processing",
    JobStatus.COMPLETED: "completed",
    JobStatus.CANCELLED: "completed",
    JobStatus.FAILED: "failed",
}


def origin(request: Request[Any, Any, Any], settings: Settings) -> str:
    """Where clients reach us, without a slash at the end."""
    return (settings.public_url or str(request.base_url)).rstrip("/")


def account(user: BaseUser) -> Account:
    """An account, without its password."""
    return Account(id=user.id, username=user.username, email=user.email, last_login=user.last_login)


async def image_views(found: Sequence[Image], at: str) -> list[ImageView]:
    """Images with the state of their newest job and its result; three queries, however many images."""
    newest: dict[Any, Job] = {}
    result_ids: dict[Any, UUID] = {}
    for job in await jobs.newest_of([image.id for image in found]):
        newest.setdefault(job.image, job)
        if job.result is not None:
            result_ids.setdefault(job.image, job.result)
    results = {image.id: image for image in await images.by_ids(list(result_ids.values()))}
    return [
        image_view(image, newest.get(image.id), at, result=results.get(result_ids.get(image.id, image.id)))
        for image in found
    ]


async def one_image(image: Image, request: Request[Any, Any, Any], backends: Backends) -> ImageView:
    """One image with the state of its newest job and its result."""
    return (await image_views([image], origin(request, backends.settings)))[0]


def image_view(image: Image, job: Job | None, at: str, *, result: Image | None = None) -> ImageView:
    """One image; `job` is its newest, `result` what the newest successful one made."""
    failed = job is not None and job.status == JobStatus.FAILED
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
        url=f"{at}/api/images/{image.id}",
        download_url=f"{at}/api/images/{image.id}/download",
        job_id=job.id if job else None,
        result=image_view(result, None, at) if result else None,
    )


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


def _operations(command: AnyMessage) -> Operations | None:
    if isinstance(command, IngestImage):
        return command.follow.operations if command.follow else None
    return command.operations if isinstance(command, TransformImage) else None


def metadata(image: Image) -> Metadata | None:
    """What a full decode of an image told; None when there was none, or one that told less than today's."""
    if image.phash is None or image.metadata is None:
        return None
    told: dict[str, Any] = msgspec.json.decode(image.metadata)
    try:
        return msgspec.convert(told | {"id": image.id}, Metadata)
    except msgspec.ValidationError:
        return None
