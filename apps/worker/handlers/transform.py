"""Run operations over a stored image."""

from apps.worker.handlers.source import source_image
from apps.worker.worker_pool import Done, WorkerPool
from libs.contracts.commands import TransformImage
from libs.contracts.enums import ImageStatus, Retention
from libs.contracts.events import BatchCompleted
from libs.images import artifact, attempt_files, focal_point, watermark_sources
from libs.images.artifact import Artifact
from libs.imaging.pipeline import Rendered, render
from libs.jobs import build
from libs.jobs.publish import publish
from libs.storage import leases, object_keys
from libs.storage.database.tables import Image
from libs.storage.leases import Claim


async def transform(command: TransformImage, claim: Claim, pool: WorkerPool) -> Done:
    """Render the source's file and store the result as one new image."""
    backends = pool.backends
    source = await source_image(command)
    target = backends.scratch / f"{claim.job_id}.{claim.attempt}"
    operations = await focal_point.resolved(command.operations, source, backends)
    try:
        async with (
            watermark_sources.file_of(source, backends) as path,
            watermark_sources.opened(operations, claim.owner, backends) as others,
        ):
            rendered = await pool.run(render, path, target, operations, pool.limits, assets=others)
        result = _result(command, claim, source, rendered, pool)
        if claim.attempt > 1:
            await attempt_files.clear_attempts(command, claim.created_at, backends)
        hashing = build.hash_job(result, command.owner, claim.request_id)

        async def record() -> BatchCompleted | None:
            return await leases.complete_transform(
                claim,
                source,
                result,
                followed_by=hashing,
                shares_expiry=command.shares_expiry,
                downloaded_s=backends.settings.expire_downloaded_s,
            )

        file = Artifact(image=result, path=target, owner=command.owner, job_id=claim.job_id)
        batch = await artifact.store([file], record, backends)
    finally:
        target.unlink(missing_ok=True)
    if hashing is not None:
        await publish(hashing, backends)
    return Done(result, batch)


def _result(
    command: TransformImage, claim: Claim, source: Image, rendered: Rendered, pool: WorkerPool
) -> Image:
    return artifact.new_image(
        rendered,
        image_id=command.target,
        owner=claim.owner,
        filename=source.filename,
        object_key=object_keys.object_key(
            command.owner,
            command.target,
            source.filename,
            rendered.extension,
            folder=object_keys.RESULTS,
            when=claim.created_at,
            attempt=claim.attempt,
        ),
        retention=Retention.KEEP if command.keep else Retention.EPHEMERAL,
        undownloaded_s=pool.backends.settings.expire_undownloaded_s,
        parent=source.id,
        expiry_group=source.expiry_group if command.shares_expiry else command.target,
        status=ImageStatus.READY,
    )
