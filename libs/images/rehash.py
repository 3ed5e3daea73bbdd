"""Compute hashes and metadata of images that lack today's: after an upgrade, or when their job was lost."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import structlog
from msgspec import Struct

from libs.backends import Backends
from libs.imaging.describe import describe
from libs.imaging.errors import ImagingError
from libs.runtime.process_pool import ProcessPool, RenderError
from libs.storage import image_descriptions
from libs.storage.database.tables import Image
from libs.storage.objects import ObjectNotFound

PAGE = 200

log = structlog.get_logger(__name__)


class RehashCounts(Struct, frozen=True):
    """How many images were described, and how many could not be."""

    done: int
    failed: int  # unreadable, or deleted meanwhile


async def rehash(backends: Backends, stop: asyncio.Event, progress: Callable[[int], object]) -> RehashCounts:
    """Describe every image whose hash or metadata is missing or of an earlier version, until `stop`.

    The oldest image is the first. Each result is stored at once, so a later run continues where this one
    stopped. Workers may run at the same time. `progress` gets the number of images that ended since its last
    call.
    """
    settings = backends.settings
    processes = ProcessPool("rehash", settings.worker_concurrency, memory_bytes=settings.job_memory_bytes)
    done = failed = 0
    after: UUID | None = None
    try:
        while not stop.is_set() and (page := await image_descriptions.undescribed(PAGE, after=after)):
            for start in range(0, len(page), settings.worker_concurrency):
                if stop.is_set():
                    break
                group = page[start : start + settings.worker_concurrency]
                results = await asyncio.gather(*(_describe(image, backends, processes) for image in group))
                done, failed = done + results.count(True), failed + results.count(False)
                progress(len(results))
            after = page[-1].id
    finally:
        await processes.close()
    return RehashCounts(done, failed)


async def _describe(image: Image, backends: Backends, processes: ProcessPool) -> bool:
    """Describe one image; return whether that was stored."""
    settings = backends.settings
    try:
        async with backends.objects.as_file(image.object_key) as path:
            description = await processes.run(settings.job_timeout_s, describe, path, settings.image_limits)
    except (ImagingError, RenderError, ObjectNotFound) as error:
        log.warning("not_described", image_id=str(image.id), error_code=error.code, error=str(error))
        return False
    columns = image_descriptions.columns(description, edit=image_descriptions.edit_note(image))
    return await image_descriptions.store(image, columns)
