"""Expire and delete images: the objects go first, then the rows.

Every step is safe to repeat after a crash, and by two schedulers at once.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import structlog

from libs.backends import Backends
from libs.contracts.events import ImageDeleted
from libs.jobs.cancel import publish_cancelled
from libs.jobs.events import publish_event
from libs.runtime.background import run_to_completion
from libs.storage import image_expiry, object_keys
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import BaseUser, Image
from libs.storage.image_expiry import DeletingImage
from libs.storage.objects import StoreUnavailable

BATCH = 200
EVENTS_GRACE_S = 2.0

log = structlog.get_logger(__name__)


async def expire(backends: Backends) -> int:
    """Mark expired images, remove everything that is marked, and return how many images were removed."""
    while await image_expiry.mark_expired(BATCH) == BATCH:
        pass
    removed = 0
    while marked := await image_expiry.list_deleting(BATCH):
        removed += await remove(marked, backends)
        if len(marked) < BATCH:
            break
    return removed


async def delete(image: Image, owner: BaseUser, backends: Backends) -> None:
    """Delete an image and cancel its jobs; while the object store is away, hide it and remove it later."""
    await publish_cancelled(await image_expiry.mark_deleting(image.id), owner.username, backends)
    try:
        await remove(await image_expiry.list_deleting(1, only=image.id), backends)
    except StoreUnavailable as error:
        log.warning("removal_waits", image_id=str(image.id), error=str(error))


async def remove(marked: Sequence[DeletingImage], backends: Backends) -> int:
    """Remove the objects, then the rows; return how many rows this call removed.

    Raises:
        StoreUnavailable: Some objects may be gone; the marks stay, and the next call tries again.
    """
    keys = [image.object_key for image in marked]
    await backends.objects.delete(keys + [object_keys.thumbnail_key(key) for key in keys])
    return await run_to_completion(_delete_rows(marked, backends), grace_s=EVENTS_GRACE_S)


async def _delete_rows(marked: Sequence[DeletingImage], backends: Backends) -> int:
    """Remove the rows and publish an event for each: after a stop nobody would publish it."""
    gone = set(await image_expiry.delete_rows([image.id for image in marked]))
    events = (ImageDeleted(image_id=image.id, owner=image.owner) for image in marked if image.id in gone)
    await asyncio.gather(*(publish_event(event, backends) for event in events))
    if gone:
        log.info("images_deleted", count=len(gone))
    return len(gone)


async def remove_marked(image_id: UUID, backends: Backends) -> None:
    """Remove one marked image; if that fails now, the scheduler does it."""
    try:
        await remove(await image_expiry.list_deleting(1, only=image_id), backends)
    except (StoreUnavailable, DatabaseUnavailable) as error:
        log.warning("removal_waits", image_id=str(image_id), error=str(error))
