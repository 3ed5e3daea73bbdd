"""What each kind of job does: one function a message, safe to run twice."""

from dataclasses import dataclass
from pathlib import Path

from apps.worker.results import labels, new_result
from libs.backends import Backends
from libs.contracts.commands import DescribeImage, TransformImage
from libs.images import expiry, watermark_sources
from libs.images.describe_jobs import describe_job
from libs.imaging.describe import describe
from libs.imaging.limits import Limits
from libs.imaging.pipeline import render
from libs.jobs.publish import publish
from libs.runtime.background import run_to_completion
from libs.runtime.process_pool import ProcessPool
from libs.storage import image_descriptions, images, leases
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import Image, Job
from libs.storage.image_errors import ImageNotFound
from libs.storage.leases import Claim

DELIVERY_GRACE_S = 2.0


@dataclass(frozen=True)
class WorkerPool:
    """What a handler works with; each lane of priority has its own children."""

    backends: Backends
    processes: ProcessPool


async def transform(message: TransformImage, claim: Claim, pool: WorkerPool) -> Image:
    """Render the source's file and store the result as one new image."""
    backends, settings = pool.backends, pool.backends.settings
    source = await _source(message)
    target = backends.scratch / f"{claim.job_id}.{claim.attempt}"
    try:
        async with (
            watermark_sources.file_of(source, backends) as path,
            watermark_sources.opened(message.operations, claim.owner, backends) as others,
        ):
            rendered = await pool.processes.run(
                settings.job_timeout_s,
                render,
                path,
                target,
                message.operations,
                limits_of(backends),
                assets=others,
            )
        undownloaded_s = settings.expire_undownloaded_s
        result = new_result(message, claim, source, rendered, message.target, undownloaded_s=undownloaded_s)
        if claim.attempt > 1:
            await expiry.clear_attempts(message, claim.created_at, backends)
        followed_by = describe_job(result, message.owner, claim.request_id) if message.keep else None
        await run_to_completion(
            _deliver(message, claim, result, target, followed_by, backends), grace_s=DELIVERY_GRACE_S
        )
    finally:
        target.unlink(missing_ok=True)
    if followed_by is not None:
        await publish(followed_by, backends)
    return result


async def describe_image(message: DescribeImage, claim: Claim, pool: WorkerPool) -> Image:
    """Decode the source whole and note what that tells."""
    backends = pool.backends
    source = await _source(message)
    async with watermark_sources.file_of(source, backends) as path:
        found = await pool.processes.run(backends.settings.job_timeout_s, describe, path, limits_of(backends))
    told = image_descriptions.columns(found, edit=image_descriptions.edit_note(source))
    await leases.complete_describe(claim, source.id, told)
    return source


def limits_of(backends: Backends) -> Limits:
    """The bounds of this installation for anything decoded."""
    return backends.settings.image_limits


async def _deliver(
    message: TransformImage,
    claim: Claim,
    result: Image,
    file: Path,
    followed_by: Job | None,
    backends: Backends,
) -> None:
    """Store the file and end the job; an object without its row is taken back."""
    await backends.objects.put(
        result.object_key, file, content_type=result.mime, metadata=labels(result, message)
    )
    try:
        await leases.complete_transform(
            claim,
            message.source.image_id,
            result,
            followed_by=followed_by,
            shares_expiry=message.shares_expiry,
            downloaded_s=backends.settings.expire_downloaded_s,
        )
    except DatabaseUnavailable:
        raise  # it may have been committed; the next attempt clears what this one left
    except Exception:
        await backends.objects.delete([result.object_key])
        raise


async def _source(message: TransformImage | DescribeImage) -> Image:
    image = await images.by_id(message.source.image_id)
    if image is None:
        raise ImageNotFound(f"there is no image {message.source.image_id}")
    return image
