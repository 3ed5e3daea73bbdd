"""Hash a stored image and read its metadata."""

from apps.worker.handlers.source import source_image
from apps.worker.worker_pool import Done, WorkerPool
from libs.contracts.commands import DescribeImage
from libs.images import watermark_sources
from libs.imaging.describe import describe
from libs.storage import image_descriptions, leases
from libs.storage.leases import Claim


async def describe_image(command: DescribeImage, claim: Claim, pool: WorkerPool) -> Done:
    """Decode the whole source, and set its hash and metadata."""
    source = await source_image(command)
    async with watermark_sources.file_of(source, pool.backends) as path:
        description = await pool.run(describe, path, pool.limits)
    columns = image_descriptions.columns(description, edit=image_descriptions.edit_note(source))
    await leases.complete_describe(claim, source.id, columns)
    return Done(source)
