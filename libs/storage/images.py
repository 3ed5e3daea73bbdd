"""Functions over the image table: find an image, and change its name or retention."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any, cast
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from libs.contracts.enums import ImageStatus, JobStatus, Retention
from libs.imaging.formats import FORMATS, FormatName
from libs.imaging.geometry import Focus
from libs.storage import filenames
from libs.storage.database.engine import rows
from libs.storage.database.statement import Slot, Statement, id_slots, id_values, loaded
from libs.storage.database.tables import Image, now
from libs.storage.image_errors import ImageFailed, ImageNotFound, ImageNotKept, ImageNotReady

KEYS_PER_QUERY = 500
_decode_tags = msgspec.json.Decoder(tuple[str, ...]).decode
FILE_COLUMNS = (
    "filename",
    "source_url",
    "object_key",
    "format",
    "mime",
    "width",
    "height",
    "frames",
    "size_bytes",
    "md5",
    "phash",
    "hash_version",
    "metadata",
    "has_alpha",
    "camera",
    "blurhash",
    "focus_x",
    "focus_y",
    "status",
)
"""The columns that describe an image's file; all of them change when the file is replaced."""

SHOWN = [column for column in Image.all_columns() if column is not Image.metadata]
"""What lists read: the metadata may be large, and no list shows them."""

_VISIBLE = Image.status != ImageStatus.DELETING
_BY_ID = Statement(Image.objects().where((Image.id == Slot("image_id")) & _VISIBLE), quick=True)
_OWNED = Statement(
    Image.objects().where((Image.id == Slot("image_id")) & (Image.owner == Slot("owner")) & _VISIBLE),
    quick=True,
)
# An image, or the result of its newest transform or edit that was not cancelled, with the state of that job.
_LATEST = Statement(
    Image.raw(
        "select job.id as job, job.status as job_status, job.error_code, job.error, shown.*"
        " from image left join job on job.id = ("
        "select id from job where job.image = image.id and kind in ('transform', 'edit')"
        " and status <> 'cancelled' order by id desc limit 1)"
        " left join image shown on shown.id = coalesce(job.result, job.id, image.id)"
        " and shown.owner = image.owner and shown.status <> 'deleting'"
        " where image.id = {} and image.owner = {} and image.status <> 'deleting'",
        Slot("image_id"),
        Slot("owner"),
    ),
    quick=True,
)


async def owned_by(owner: int, image_id: UUID) -> Image:
    """Return the owner's image.

    Raises:
        ImageNotFound: It does not exist, is being deleted, or belongs to another account.
    """
    image = await _OWNED.first(Image, owner=owner, image_id=image_id)
    if image is None:
        raise ImageNotFound(f"there is no image {image_id}")
    return image


async def by_id(image_id: UUID) -> Image | None:
    """Return an image of any account; None when it does not exist or is being deleted."""
    return await _BY_ID.first(Image, image_id=image_id)


async def newer_version(image: Image) -> Image | None:
    """Return the image as it is now if its file was replaced since `image` was read, else None."""
    current = await by_id(image.id)
    return None if current is None or current.object_key == image.object_key else current


async def by_ids(image_ids: Sequence[UUID]) -> list[Image]:
    """Return those of the images that exist and are not being deleted, in no particular order.

    They come without their metadata.
    """
    if not image_ids:
        return []
    values = id_values(image_ids)
    return await _by_ids(len(values)).objects(Image, **values)


@cache
def _by_ids(count: int) -> Statement:
    found = cast("Any", Image).select(*SHOWN).where(Image.id.is_in(id_slots(count)) & _VISIBLE)
    return Statement(found, quick=True)


async def sizes_by_key(keys: Sequence[str]) -> dict[str, int]:
    """Return the size in bytes that the database has for each object key; keys without a row are left out."""
    sizes: dict[str, int] = {}
    for start in range(0, len(keys), KEYS_PER_QUERY):
        found: list[dict[str, Any]] = await Image.select(Image.object_key, Image.size_bytes).where(
            Image.object_key.is_in(list(keys[start : start + KEYS_PER_QUERY]))
        )
        sizes |= {row["object_key"]: row["size_bytes"] for row in found}
    return sizes


async def all_after(after: UUID | None, limit: int) -> list[Image]:
    """Return images of all accounts in the order of their ids, without those being deleted."""
    conditions = [_VISIBLE] if after is None else [_VISIBLE, Image.id > after]
    return await Image.objects().where(*conditions).order_by(Image.id).limit(limit)


async def newest_upload(owner: int) -> Image:
    """Return the owner's newest image that is not the result of a job on another image.

    Raises:
        ImageNotFound: The owner has no such image.
    """
    image = await (
        Image.objects()
        .where(Image.owner == owner, _VISIBLE, Image.parent.is_null())
        .order_by(Image.id, ascending=False)
        .first()
    )
    if image is None:
        raise ImageNotFound("there is no image yet")
    return image


async def latest_of(owner: int, image_id: UUID) -> Image:
    """Return the result of the newest transform or edit of the owner's image; the image itself without one.

    Cancelled jobs are ignored.

    Raises:
        ImageNotFound: There is no such image, or the result has been deleted.
        ImageNotReady: That job has not ended.
        ImageFailed: That job failed; the text says why.
    """
    row = next(iter(await _LATEST(owner=owner, image_id=image_id)), None)
    if row is None:
        raise ImageNotFound(f"there is no image {image_id}")
    job, status, code, error = (row.pop(name) for name in ("job", "job_status", "error_code", "error"))
    if status == JobStatus.FAILED:
        raise ImageFailed(f"{code}: {error}")
    if status not in (None, JobStatus.COMPLETED):
        raise ImageNotReady(f"Image not ready: job {job} is {status}")
    if row["id"] is None:
        raise ImageNotFound(f"the result of image {image_id} has been deleted")
    return loaded(Image, row)


async def change(
    image: Image,
    *,
    filename: str | None,
    retention: Retention | None,
    tags: Sequence[str] | None = None,
    public: bool | None = None,
    focus: Focus | UnsetType | None = UNSET,
    undownloaded_s: float,
) -> Image:
    """Change an image's name, retention, tags, focal point or whether it is public; return its new row.

    An image that becomes ephemeral expires `undownloaded_s` from now unless it is downloaded first, and is no
    longer public.

    Raises:
        ImageNotKept: An ephemeral image would be public; nothing is changed.
    """
    if public and retention == Retention.EPHEMERAL:
        raise ImageNotKept("an ephemeral image cannot be public")
    values = changed_columns(
        image, filename=filename, retention=retention, tags=tags, public=public, undownloaded_s=undownloaded_s
    )
    if focus is not UNSET:
        values |= {Image.focus_x: focus.x if focus else None, Image.focus_y: focus.y if focus else None}
    found = Image.id == image.id
    if public and retention is None:
        found = found & (Image.retention == Retention.KEEP)
    update = cast("Any", Image.update({Image.updated_at: now(), **values}).where(found))
    changed = await rows(update.returning(Image.id))
    current = await owned_by(image.owner, image.id)
    if not changed:
        raise ImageNotKept("an ephemeral image cannot be public: send `retention` as `keep` too")
    return current


def changed_columns(
    image: Image,
    *,
    filename: str | None,
    retention: Retention | None,
    tags: Sequence[str] | None = None,
    public: bool | None = None,
    undownloaded_s: float,
) -> dict[Any, Any]:
    """Return the columns that `change` sets; an argument of None leaves its columns alone."""
    values: dict[Any, Any] = {}
    if filename is not None:
        values[Image.filename] = filenames.with_extension(
            filename, FORMATS[cast("FormatName", image.format)].extension
        )
    if tags is not None:
        values[Image.tags] = tags_column(tags)
    if public is not None:
        values[Image.public] = public
    if retention is not None and retention != image.retention:
        expires_at = None if retention == Retention.KEEP else now() + timedelta(seconds=undownloaded_s)
        values |= {
            Image.retention: retention,
            Image.expires_at: expires_at,
            Image.first_downloaded_at: None,
            Image.expiry_group: image.id,
        }
        if retention == Retention.EPHEMERAL:
            values[Image.public] = False
    return values


def tags_column(tags: Sequence[str]) -> str:
    """Return the column of an image with these tags."""
    return msgspec.json.encode(tags).decode()


def tags_of(image: Image) -> tuple[str, ...]:
    """Return the tags of an image."""
    return _decode_tags(image.tags)


def focus_of(image: Image) -> Focus | None:
    """Return the focal point of an image, if it has one."""
    if image.focus_x is None or image.focus_y is None:
        return None
    return Focus(image.focus_x, image.focus_y)
