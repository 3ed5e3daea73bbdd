"""Run operations over many stored images as one batch."""

from collections.abc import Sequence
from pathlib import PurePath
from uuid import UUID

import msgspec
from msgspec import Struct

from libs.backends import Backends
from libs.batches.create import check_room
from libs.batches.csv_columns import NAME, SERIAL, URLS
from libs.batches.csv_file import Dialect
from libs.batches.job_maker import address_of, job_maker
from libs.batches.stored_sheet import Head, StoredRow, encode_row
from libs.contracts.enums import OnMissingImage, Retention
from libs.imaging.operations import AnyOperation
from libs.jobs import admission
from libs.runtime.threads import PARSING
from libs.storage import batches, images
from libs.storage.batches import NewItem, NewJob
from libs.storage.database.tables import BaseUser, Batch, Image, new_id, new_ids, now
from libs.storage.idempotency import Reservation
from libs.storage.image_errors import ImageNotFound

IDS_AT_ONCE = 500


class TransformImages(Struct, frozen=True, kw_only=True):
    """Run operations over each image; the results are new images."""

    owner: BaseUser
    image_ids: Sequence[UUID]  # one that is named twice counts once
    operations: Sequence[AnyOperation]
    name: str
    retention: Retention
    on_missing_image: OnMissingImage
    webhook_url: str | None
    base_url: str  # of the images' addresses
    request_id: str
    reservation: Reservation | None = None  # of the request's idempotency key


async def transform_images(command: TransformImages, backends: Backends) -> Batch:
    """Store a batch with a job for each image; the scheduler publishes the jobs.

    Raises:
        ImageNotFound, UrlForbidden, TooManyJobs, TooManyOperations: Nothing is stored.
    """
    owner = command.owner
    await admission.check_operations(command.operations, owner, backends)
    if command.webhook_url is not None:
        backends.guard.check_url(command.webhook_url)
    sources = await _sources(command)
    await check_room(owner, len(sources), backends)
    batch = Batch(
        id=new_id(),
        owner=owner.id,
        filename=command.name,
        operations=msgspec.json.encode(command.operations).decode(),
        retention=command.retention,
        columns=msgspec.json.encode(Head((SERIAL, NAME, URLS), Dialect(), of_images=True)).decode(),
        total=len(sources),
        webhook_url=command.webhook_url,
        created_at=now(),
    )
    items, jobs = await PARSING.run(_planned, sources, batch, command)
    await batches.create(batch, items, jobs, command.request_id, command.reservation)
    return batch


async def _sources(command: TransformImages) -> list[Image]:
    """Return the images in the order of the request.

    Raises:
        ImageNotFound: One does not exist, is being deleted, or belongs to another account, and is not to be
            skipped; or all of them do not.
    """
    image_ids = list(dict.fromkeys(command.image_ids))
    found: dict[UUID, Image] = {}
    for start in range(0, len(image_ids), IDS_AT_ONCE):
        some = await images.by_ids(image_ids[start : start + IDS_AT_ONCE])
        found |= {image.id: image for image in some if image.owner == command.owner.id}
    missing = [image_id for image_id in image_ids if image_id not in found]
    if missing and (not found or command.on_missing_image is OnMissingImage.REFUSE):
        raise ImageNotFound(f"there is no image {missing[0]}")
    return [found[image_id] for image_id in image_ids if image_id in found]


def _planned(
    sources: Sequence[Image], batch: Batch, command: TransformImages
) -> tuple[list[NewItem], list[NewJob]]:
    """Build a job and an item for each image, in their order."""
    make, ids = job_maker(batch, command.owner), new_ids()
    jobs: list[NewJob] = []
    items: list[NewItem] = []
    for number, source in enumerate(sources, 1):
        address, name = address_of(source.id, command.base_url), PurePath(source.filename).stem
        jobs.append(make(address))
        cells = encode_row(StoredRow(cells=(str(number), name, address)))
        items.append(NewItem(next(ids), number, name, 1, address, jobs[-1].id, cells))
    return items, jobs
