"""Views of images."""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from apps.api.responses.addresses import Addresses
from libs.contracts.enums import JobKind, JobStatus, Retention
from libs.contracts.views.images import ImageMetadata, ImageView, WireStatus
from libs.imaging.hashing import hex64
from libs.storage import image_descriptions, images, job_durations, jobs
from libs.storage.database.tables import Image, Job, now

JobDurations: TypeAlias = Mapping[str, float]  # by kind of job, in seconds
NO_DURATIONS: JobDurations = MappingProxyType({})

WIRE_STATUS: dict[str, WireStatus] = {
    JobStatus.QUEUED: "pending",
    JobStatus.RUNNING: "processing",
    JobStatus.COMPLETED: "completed",
    JobStatus.CANCELLED: "completed",
    JobStatus.FAILED: "failed",
}


async def views_of(found: Sequence[Image], addresses: Addresses) -> list[ImageView]:
    """Build the views of images, with their newest jobs and results; three queries in all."""
    newest: dict[Any, Job] = {}
    making: dict[Any, Job] = {}
    result_ids: dict[Any, UUID] = {}
    for job in await jobs.newest_of([image.id for image in found]):
        newest.setdefault(job.image, job)
        if makes_result(job):
            making.setdefault(job.image, job)
        if job.result is not None:
            result_ids.setdefault(job.image, job.result)
    wanted = {*result_ids.values(), *(job.result for job in making.values() if job.result)}
    results = {image.id: image for image in await images.by_ids(list(wanted))}
    durations = await durations_of(newest.values())
    return [
        image_view(
            image,
            newest.get(image.id),
            addresses,
            downloadable=has_file(making.get(image.id), results),
            result=results.get(result_ids.get(image.id, image.id)),
            durations=durations,
        )
        for image in found
    ]


async def durations_of(newest_jobs: Iterable[Job]) -> JobDurations:
    """Return the typical duration of each kind of unfinished job."""
    kinds = {job.kind for job in newest_jobs if job.status in jobs.UNFINISHED}
    return {kind: await job_durations.typical_s(kind) for kind in kinds}


async def view_of(image: Image, addresses: Addresses) -> ImageView:
    """Build the view of an image, with its newest job and result."""
    return (await views_of([image], addresses))[0]


def image_view(
    image: Image,
    job: Job | None,
    addresses: Addresses,
    *,
    downloadable: bool = True,
    result: Image | None = None,
    durations: JobDurations = NO_DURATIONS,
) -> ImageView:
    """Build the view of an image; `job` is its newest, `result` that of its newest completed job."""
    failed = job is not None and job.status == JobStatus.FAILED
    ready_at = _ready_at(image, job, durations)
    url = addresses.image(image)
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
        has_alpha=image.has_alpha,
        camera=image.camera,
        blurhash=image.blurhash,
        tags=images.tags_of(image),
        public=image.public,
        focus=images.focus_of(image),
        parent=image.parent,
        source_url=image.source_url,
        retention=Retention(image.retention),
        first_downloaded_at=image.first_downloaded_at,
        expires_at=image.expires_at,
        expires_reason=_expires_reason(image),
        created_at=image.created_at,
        updated_at=image.updated_at,
        url=url,
        download_url=f"{url}/download",
        thumbnail_url=addresses.thumbnail(image),
        job_id=job.id if job else None,
        estimated_ready_at=ready_at,
        seconds_remaining=None if ready_at is None else max(0, ceil((ready_at - now()).total_seconds())),
        result=image_view(result, None, addresses) if result else None,
        downloadable=downloadable,
    )


def makes_result(job: Job) -> bool:
    """Return whether this job makes the newest version of its image, by the rule of `images.latest_of`."""
    return job.kind in (JobKind.TRANSFORM, JobKind.EDIT) and job.status != JobStatus.CANCELLED


def has_file(job: Job | None, stored: Container[UUID]) -> bool:
    """Return whether the newest version of an image is among the stored ones, or is the image itself."""
    return job is None or not makes_result(job) or job.result in stored


def _expires_reason(image: Image) -> str | None:
    """Say in words why an image expires when it does; None for a kept one."""
    if image.expires_at is None:
        return None
    if image.first_downloaded_at is not None:
        after = _in_words(image.expires_at - image.first_downloaded_at)
        return f"{after} after its first download, because it is ephemeral"
    after = _in_words(image.expires_at - image.created_at)
    return f"{after} after it was made, because it is ephemeral; sooner once it is downloaded"


def _in_words(span: timedelta) -> str:
    for unit, seconds in (("hour", 3600), ("minute", 60)):
        if span.total_seconds() >= seconds:
            count = round(span.total_seconds() / seconds)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{round(span.total_seconds())} seconds"


def _ready_at(image: Image, job: Job | None, durations: JobDurations) -> datetime | None:
    """Return when the image was or will be ready; a slow job always has one more second."""
    if job is None or job.status == JobStatus.FAILED:
        return image.created_at if job is None else None
    if job.status not in jobs.UNFINISHED:
        return job.finished_at or image.created_at
    soon = now() + timedelta(seconds=1)
    return max(soon, job.created_at + timedelta(seconds=durations.get(job.kind, job_durations.FIRST_GUESS_S)))


def metadata(image: Image) -> ImageMetadata | None:
    """Build the metadata of an image; None when it is missing or not of today's decode."""
    if not image_descriptions.is_described(image):
        return None
    stored: dict[str, Any] = msgspec.json.decode(image.metadata or "{}")
    try:
        return msgspec.convert(stored | {"id": image.id}, ImageMetadata)
    except msgspec.ValidationError:
        return None
