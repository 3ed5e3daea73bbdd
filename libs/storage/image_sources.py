"""Functions over fetched images: how they come in, and how one takes the place of another's bytes."""

from typing import Any
from uuid import UUID

from libs.contracts.enums import ImageStatus, JobKind, JobStatus, Retention
from libs.contracts.events import BatchCompleted
from libs.storage import leases
from libs.storage.batch_counters import BatchShare
from libs.storage.database.connection import transaction
from libs.storage.database.statement import insert
from libs.storage.database.tables import Image, ImageSource, Job, new_id, now
from libs.storage.image_errors import ImageChanged
from libs.storage.jobs import UNFINISHED
from libs.storage.leases import NO_ERROR, Claim


async def source_of(image_id: UUID) -> ImageSource | None:
    """What is known of where an image came from."""
    return await ImageSource.objects().where(ImageSource.image == image_id).first()


async def same_bytes(owner: int, md5: str) -> Image | None:
    """The owner's oldest kept image with these bytes."""
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
    followed_by: Job | None,
    fetched_bytes: int,
) -> BatchCompleted | None:
    """End the job with a new image, and queue the job that follows on it, in one transaction.

    Without a `source` the image is not what was fetched. The batch whose last job this was comes back.

    Raises:
        LostLease: The job is somebody else's by now.
    """
    share = BatchShare(output=image.id, bytes_before=fetched_bytes, bytes_after=image.size_bytes)
    async with transaction():
        await insert(image)
        if source is not None:
            await insert(source)
        if followed_by is not None:
            await insert(followed_by)
        return await leases.end(
            claim, {Job.status: JobStatus.COMPLETED, Job.result: image.id, **NO_ERROR}, share
        )


async def complete_with(claim: Claim, image_id: UUID, *, followed_by: Job | None) -> None:
    """End the job with an image that was there before, untouched.

    Raises:
        LostLease: The job is somebody else's by now.
    """
    async with transaction():
        if followed_by is not None:
            await insert(followed_by)
        await leases.end(claim, {Job.status: JobStatus.COMPLETED, Job.result: image_id, **NO_ERROR})


async def complete_replacing(
    claim: Claim, old: Image, values: dict[Any, Any], source: ImageSource | None
) -> UUID | None:
    """Change the image, and all that is known of it, at once.

    A `source` comes with a new file: the former one is marked to be removed, under the id that is returned.
    So is the upload that the new file was taken from.

    Raises:
        LostLease: The job is somebody else's by now.
        ImageChanged: The image was deleted, or its bytes were replaced by another job, meanwhile.
    """
    async with transaction():
        await change(old, values)
        former = None
        if source is not None:
            former = await put_aside(old, source)
            if claim.image is not None:
                await Image.update({Image.status: ImageStatus.DELETING}).where(
                    (Image.id == claim.image) & (Image.retention == Retention.EPHEMERAL)
                )
        await leases.end(claim, {Job.status: JobStatus.COMPLETED, Job.result: old.id, **NO_ERROR})
    return former


async def change(old: Image, values: dict[Any, Any]) -> None:
    """Set `values` in the row of an image that still has the bytes it had.

    Raises:
        ImageChanged: It has others by now, or is gone.
    """
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


async def put_aside(old: Image, source: ImageSource | None) -> UUID:
    """Once other bytes have taken its place: part with the former file, and all that was known of it.

    `source` is where the new bytes come from, if they were fetched. The id under which the former file is
    to be removed.
    """
    former = await _leave_to_removal(old)
    await ImageSource.delete().where(ImageSource.image == old.id)
    if source is not None:
        await insert(source)
    await _part_with_results(old.id)
    return former


async def _part_with_results(image_id: UUID) -> None:
    """What was made of the former bytes is no version of the new ones; it stays as an image of its own."""
    await Job.update({Job.image: None}).where(
        (Job.image == image_id)
        & Job.kind.is_in([JobKind.TRANSFORM, JobKind.EDIT])
        & Job.status.not_in(UNFINISHED)
    )


async def _leave_to_removal(old: Image) -> UUID:
    """A row of its own for the former file: whatever is killed when, the file goes the way of all others."""
    ghost_id = new_id()
    row: dict[str, Any] = old.to_dict()
    row |= {"id": ghost_id, "expiry_group": ghost_id, "status": ImageStatus.DELETING}
    row |= dict.fromkeys(("parent", "phash", "metadata"))
    await insert(Image(**row))
    return ghost_id
