"""Functions over fetched images: where they came from, and how other bytes take the place of an image's."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.contracts.enums import ImageStatus, JobKind, JobStatus, Retention
from libs.contracts.events import BatchCompleted
from libs.storage import images, leases, renditions
from libs.storage.batch_counters import ItemResult
from libs.storage.database.connection import transaction
from libs.storage.database.statement import insert
from libs.storage.database.tables import Image, ImageSource, Job, new_id, now
from libs.storage.image_errors import ImageChanged
from libs.storage.jobs import UNFINISHED
from libs.storage.leases import NO_ERROR, Claim


async def source_of(image_id: UUID) -> ImageSource | None:
    """Return the validators under which an image was fetched."""
    return await ImageSource.objects().where(ImageSource.image == image_id).first()


async def same_bytes(owner: int, md5: str) -> Image | None:
    """Return the owner's oldest kept image with these bytes."""
    return await (
        Image.objects()
        .where(
            (Image.owner == owner)
            & (Image.md5 == md5)
            & (Image.status != ImageStatus.DELETING)
            & (Image.retention == Retention.KEEP)
        )
        .order_by(Image.id)
        .first()
    )


async def complete(
    claim: Claim,
    image: Image,
    source: ImageSource | None,
    *,
    followed_by: Sequence[Job],
    fetched_bytes: int,
) -> BatchCompleted | None:
    """End the job with a new image and queue the jobs that follow, in one transaction.

    `source` is None when the image is not the fetched file itself. Return the batch if this was its last job.

    Raises:
        LostLease: The job is no longer this worker's.
    """
    result = ItemResult(output=image.id, bytes_before=fetched_bytes, bytes_after=image.size_bytes)
    async with transaction():
        await insert(image)
        if source is not None:
            await insert(source)
        for job in followed_by:
            await insert(job)
        return await leases.end(claim, _completed(image.id), result)


async def complete_with(claim: Claim, image_id: UUID, *, followed_by: Sequence[Job]) -> None:
    """End the job with an image that existed before, unchanged.

    Raises:
        LostLease: The job is no longer this worker's.
    """
    async with transaction():
        for job in followed_by:
            await insert(job)
        await leases.end(claim, _completed(image_id))


async def complete_replacing(
    claim: Claim, old: Image, fresh: Image, values: dict[Any, Any], source: ImageSource
) -> UUID:
    """End the job: `fresh` is the row of the new file, `values` what else changes in the image's row.

    The upload that the new file was copied from is marked for removal. Return the id under which the former
    file is marked.

    Raises:
        LostLease: The job is no longer this worker's.
        ImageChanged: The image was deleted, or another job replaced its bytes, meanwhile.
    """
    async with transaction():
        former = await replace_file(old, fresh, values, source=source)
        if claim.image is not None:
            await Image.update({Image.status: ImageStatus.DELETING}).where(
                (Image.id == claim.image) & (Image.retention == Retention.EPHEMERAL)
            )
        await leases.end(claim, _completed(old.id))
    return former


async def complete_unchanged(claim: Claim, old: Image, values: dict[Any, Any]) -> None:
    """End the job of a file that its server calls unchanged; `values` change in the image's row.

    Raises:
        LostLease, ImageChanged: As `complete_replacing`.
    """
    async with transaction():
        await _change(old, values)
        await leases.end(claim, _completed(old.id))


async def replace_file(
    old: Image, fresh: Image, values: dict[Any, Any] | None = None, *, source: ImageSource | None = None
) -> UUID:
    """Give an image the file of `fresh`, within the caller's transaction.

    `source` is where the new bytes were fetched from. Results of the former bytes become images of their own.
    Return the id under which the former file is marked for removal.

    Raises:
        ImageChanged: The image was deleted, or its bytes were replaced, meanwhile.
    """
    row = fresh.to_dict()
    await _change(old, {name: row[name] for name in images.FILE_COLUMNS} | (values or {}))
    former = await _mark_former_file(old)
    await ImageSource.delete().where(ImageSource.image == old.id)
    if source is not None:
        await insert(source)
    await _detach_results(old.id)
    return former


async def _change(old: Image, values: dict[Any, Any]) -> None:
    changed: list[dict[str, Any]] = await (
        Image.update({**values, Image.updated_at: now()})
        .where(
            (Image.id == old.id)
            & (Image.status != ImageStatus.DELETING)
            & (Image.object_key == old.object_key)
        )
        .returning(Image.id)
    )
    if not changed:
        raise ImageChanged(f"image {old.id} was deleted or replaced meanwhile")


def _completed(result: UUID) -> dict[Any, Any]:
    return {Job.status: JobStatus.COMPLETED, Job.result: result, **NO_ERROR}


async def _detach_results(image_id: UUID) -> None:
    """Let results of the former bytes be images of their own."""
    await Job.update({Job.image: None}).where(
        (Job.image == image_id)
        & Job.kind.is_in([JobKind.TRANSFORM, JobKind.EDIT])
        & Job.status.not_in(UNFINISHED)
    )


async def _mark_former_file(old: Image) -> UUID:
    """Insert a row that is marked for removal for the former file, so that a crash cannot leave it behind."""
    former_id = new_id()
    row: dict[str, Any] = old.to_dict()
    row |= {"id": former_id, "expiry_group": former_id, "status": ImageStatus.DELETING}
    row |= dict.fromkeys(("parent", "phash", "metadata"))
    await insert(Image(**row))
    await renditions.move(old.id, former_id)
    return former_id
