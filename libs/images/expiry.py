"""Ends of images: expired or deleted ones lose their object first, then their row.

Safe to repeat after a crash at any point, and by two schedulers at once.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import structlog

from libs.backends import Backends
from libs.contracts.commands import EditImage, IngestImage, TransformImage
from libs.contracts.events import ImageDeleted
from libs.jobs.events import announce, announce_cancelled
from libs.runtime.background import run_to_completion
from libs.storage import image_expiry, object_keys
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import BaseUser, Image
from libs.storage.image_expiry import DeletingImage
from libs.storage.objects import StoreUnavailable

BATCH = 200
TELLING_GRACE_S = 2.0

Maker: TypeAlias = TransformImage | IngestImage | EditImage
"""A job that stores files."""

log = structlog.get_logger(__name__)


async def expire(backends: Backends) -> int:
    """Mark what has reached its end and remove all that is marked; how many images went."""
    while await image_expiry.mark_expired(BATCH) == BATCH:
        pass
    removed = 0
    while marked := await image_expiry.list_deleting(BATCH):
        removed += await remove(marked, backends)
        if len(marked) < BATCH:
            break
    return removed


async def delete(image: Image, owner: BaseUser, backends: Backends) -> None:
    """Delete an image now and stop its jobs; while the object store is away it is hidden, removed later."""
    await announce_cancelled(await image_expiry.mark_deleting(image.id), owner.username, backends)
    try:
        await remove(await image_expiry.list_deleting(1, only=image.id), backends)
    except StoreUnavailable as error:
        log.warning("removal_waits", image_id=str(image.id), error=str(error))


async def remove(marked: Sequence[DeletingImage], backends: Backends) -> int:
    """Remove objects, then rows; how many rows this call removed.

    Raises:
        StoreUnavailable: Some objects may be gone; the marks stay for the next try.
    """
    keys = [image.object_key for image in marked]
    await backends.objects.delete(keys + [object_keys.thumbnail_key(key) for key in keys])
    return await run_to_completion(_forget(marked, backends), grace_s=TELLING_GRACE_S)


async def _forget(marked: Sequence[DeletingImage], backends: Backends) -> int:
    """Remove rows and tell of each: what nobody told before a stop, nobody would tell after it."""
    gone = set(await image_expiry.delete_rows([image.id for image in marked]))
    told = (ImageDeleted(image_id=image.id, owner=image.owner) for image in marked if image.id in gone)
    await asyncio.gather(*(announce(event, backends) for event in told))
    if gone:
        log.info("images_deleted", count=len(gone))
    return len(gone)


def folder(command: Maker) -> str:
    """Where the file of a job's image lies: what was made of another is a result."""
    fetched_whole = isinstance(command, IngestImage) and command.operations is None
    return object_keys.ORIGINALS if fetched_whole else object_keys.RESULTS


async def remove_marked(image_id: UUID, backends: Backends) -> None:
    """Remove a file that nobody needs any more; should that fail now, the next tick does it."""
    try:
        await remove(await image_expiry.list_deleting(1, only=image_id), backends)
    except (StoreUnavailable, DatabaseUnavailable) as error:
        log.warning("removal_waits", image_id=str(image_id), error=str(error))


def slot(command: IngestImage) -> str:
    """What the key of a fetched file has for an id: bytes that replace others lie beside them."""
    return f"{command.target}.{command.job_id}" if command.replaces else str(command.target)


async def clear_attempts(command: Maker, made_at: datetime, backends: Backends) -> None:
    """Remove the objects that earlier attempts at a job left when their worker was killed.

    Only for the holder of the job, or once it has failed: any earlier attempt can no longer end it. A store
    that is away keeps them.
    """
    try:
        for one in _slots(command):
            prefix = object_keys.key_prefix(command.owner, one, folder=folder(command), when=made_at)
            left = [stored.key async for stored in backends.objects.scan(prefix)]
            if left:
                await backends.objects.delete(left)
    except StoreUnavailable as error:
        log.warning("attempts_stay", job_id=str(command.job_id), error=str(error))


def _slots(command: Maker) -> Sequence[UUID | str]:
    match command:
        case IngestImage():
            return [slot(command)]
        case TransformImage():
            return [command.target]
        case EditImage():
            return command.targets
