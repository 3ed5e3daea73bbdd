"""Describing again what has no description: after an upgrade, or when its job was lost."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import structlog
from msgspec import Struct

from apps.worker.handlers.transform import limits_of
from libs.backends import Backends
from libs.imaging.describe import describe
from libs.imaging.errors import ImagingError
from libs.runtime.process_pool import ProcessPool, RenderError
from libs.storage import images
from libs.storage.database.tables import Image
from libs.storage.objects import ObjectNotFound

PAGE = 200

log = structlog.get_logger(__name__)


class Rehashed(Struct, frozen=True):
    """How it went."""

    done: int
    failed: int  # unreadable, or gone meanwhile


async def rehash(backends: Backends, stop: asyncio.Event, progress: Callable[[int], object]) -> Rehashed:
    """Describe every image whose hash or metadata is missing, oldest first.

    Each is noted at once: whoever stops this and starts it again goes on where it was. A site may run
    meanwhile.
    """
    settings = backends.settings
    processes = ProcessPool(settings.worker_concurrency, memory_bytes=settings.job_memory_bytes)
    done = failed = 0
    after: UUID | None = None
    try:
        while not stop.is_set() and (page := await images.undescribed(PAGE, after=after)):
            for start in range(0, len(page), settings.worker_concurrency):
                if stop.is_set():
                    break
                some = page[start : start + settings.worker_concurrency]
                ends = await asyncio.gather(*(_describe(image, backends, processes) for image in some))
                done, failed = done + sum(ends), failed + len(ends) - sum(ends)
                progress(len(ends))
            after = page[-1].id
    finally:
        await processes.close()
    return Rehashed(done, failed)


async def _describe(image: Image, backends: Backends, processes: ProcessPool) -> bool:
    timeout_s = backends.settings.job_timeout_s
    try:
        async with backends.objects.as_file(image.object_key) as path:
            found = await processes.run(timeout_s, describe, path, limits_of(backends))
    except (ImagingError, RenderError, ObjectNotFound) as error:
        log.warning("not_described", image_id=str(image.id), error_code=error.code, error=str(error))
        return False
    told = images.described(found, edit=images.edit_note(image))
    return await images.note_description(image, told)
