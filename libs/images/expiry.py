"""Expire and delete images: the objects go first, then the rows.

Every step is safe to repeat after a crash, and by two schedulers at once. An image whose object the store
keeps is set aside, so that it does not hold up the others.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TypeAlias
from uuid import UUID

import structlog
from msgspec import Struct

from libs.backends import Backends
from libs.contracts.events import ImageDeleted
from libs.jobs.cancel import publish_cancelled
from libs.jobs.events import publish_event
from libs.runtime.background import run_to_completion
from libs.storage import image_expiry, object_keys, renditions, set_aside
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import BaseUser, Image
from libs.storage.image_expiry import DeletingImage
from libs.storage.objects import ObjectsNotDeleted, StorageError

BATCH = 200
ROUND_S = 20.0  # for one call of `expire`
EVENTS_GRACE_S = 2.0
KEPT = "the store keeps the file; the image is hidden, and its removal is tried again"

KeysByImage: TypeAlias = Mapping[UUID, list[str]]
"""The keys of the objects of images that are being removed."""

log = structlog.get_logger(__name__)


class Removal(Struct, frozen=True, kw_only=True):
    """What became of images that were to be removed."""

    removed: int  # rows
    kept: Mapping[UUID, str]  # the reason of each image whose object the store keeps


async def expire(backends: Backends) -> int:
    """Mark expired images, remove those that are marked, and return how many images were removed.

    It returns after `ROUND_S`; the next call goes on.
    """
    clock = asyncio.get_running_loop().time
    until, removed = clock() + ROUND_S, 0
    while await image_expiry.mark_expired(BATCH) == BATCH and clock() < until:
        pass
    while marked := await image_expiry.list_deleting(BATCH):
        removed += (await remove(marked, backends)).removed
        if len(marked) < BATCH or clock() >= until:
            break
    return removed


async def delete(image: Image, owner: BaseUser, backends: Backends) -> None:
    """Delete an image and cancel its jobs; while the object store is away, hide it and remove it later.

    Raises:
        ObjectsNotDeleted: The store keeps the file although it works; the image is hidden and set aside.
    """
    await publish_cancelled(await image_expiry.mark_deleting(image.id), owner.username, backends)
    try:
        removal = await remove(await image_expiry.list_deleting(1, only=image.id), backends)
    except StorageError as error:
        log.warning("removal_waits", image_id=str(image.id), error=str(error))
        return
    if removal.kept:
        raise ObjectsNotDeleted({image.object_key: KEPT})


async def discard(image: Image, owner: BaseUser, backends: Backends) -> None:
    """Delete an image that a request leaves behind; unlike `delete`, ignore a file that the store keeps."""
    with suppress(ObjectsNotDeleted):
        await delete(image, owner, backends)


async def remove(marked: Sequence[DeletingImage], backends: Backends) -> Removal:
    """Remove the objects, then the rows; set aside each image whose object the store keeps.

    Raises:
        StorageError: The store does not work. Some objects may be gone; the marks stay for the next call.
    """
    keys = await _keys_of(marked)
    kept = await _delete_objects(keys, backends)
    await set_aside.put("image", kept)
    for image_id, reason in kept.items():
        log.error("removal_set_aside", image_id=str(image_id), reason=reason)
    gone = [image for image in marked if image.id not in kept]
    removed = await run_to_completion(_delete_rows(gone, keys, backends), grace_s=EVENTS_GRACE_S)
    return Removal(removed=removed, kept=kept)


async def remove_marked(image_id: UUID, backends: Backends) -> None:
    """Remove one marked image; if that fails now, the scheduler does it."""
    try:
        await remove(await image_expiry.list_deleting(1, only=image_id), backends)
    except (StorageError, DatabaseUnavailable) as error:
        log.warning("removal_waits", image_id=str(image_id), error=str(error))


async def _delete_objects(keys: KeysByImage, backends: Backends) -> dict[UUID, str]:
    """Delete the objects of all images; return the reason of each image whose object the store keeps.

    Raises:
        StorageError: The store does not work at all.
    """
    try:
        await backends.objects.delete([key for of_image in keys.values() for key in of_image])
    except ObjectsNotDeleted as error:
        reasons = {image_id: _reason(of_image, error) for image_id, of_image in keys.items()}
        return {image_id: reason for image_id, reason in reasons.items() if reason is not None}
    except StorageError:
        await backends.objects.ping()
    else:
        return {}
    kept: dict[UUID, str] = {}  # the store works, so it may be a single object that fails
    for image_id, of_image in keys.items():
        try:
            await backends.objects.delete(of_image)
        except StorageError as error:
            await backends.objects.ping()
            kept[image_id] = str(error)
    return kept


async def _keys_of(marked: Sequence[DeletingImage]) -> KeysByImage:
    """Return the keys of all objects of each image: its file, its thumbnail, its renditions."""
    keys = {image.id: [image.object_key, object_keys.thumbnail_key(image.object_key)] for image in marked}
    for key, image_id in (await renditions.keys_of_images(list(keys))).items():
        keys[image_id].append(key)
    return keys


def _reason(keys: Sequence[str], error: ObjectsNotDeleted) -> str | None:
    return next((error.reasons[key] for key in keys if key in error.reasons), None)


async def _delete_rows(gone: Sequence[DeletingImage], keys: KeysByImage, backends: Backends) -> int:
    """Remove the rows and publish an event for each: after a stop nobody would publish it."""
    await _delete_late_renditions([image.id for image in gone], keys, backends)
    deleted = set(await image_expiry.delete_rows([image.id for image in gone]))
    await set_aside.remove(list(deleted))
    events = (ImageDeleted(image_id=image.id, owner=image.owner) for image in gone if image.id in deleted)
    await asyncio.gather(*(publish_event(event, backends) for event in events))
    if deleted:
        log.info("images_deleted", count=len(deleted))
    return len(deleted)


async def _delete_late_renditions(gone: Sequence[UUID], keys: KeysByImage, backends: Backends) -> None:
    """Remove the rows of renditions, and objects that were recorded while the images were being marked."""
    late = set(await renditions.remove_of_images(gone)) - {key for found in keys.values() for key in found}
    try:
        await backends.objects.delete([key for key in late if key])
    except StorageError as error:
        log.warning("renditions_kept", count=len(late), error=str(error))  # `darkroom doctor` finds them
