"""Functions over direct uploads: open, find, claim, and give up.

An upload by token counts for the token from when it is opened until it is given up, so that open ones cannot
be more than the token allows.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar, cast
from uuid import UUID

from libs.contracts.outcome import Outcome
from libs.storage import upload_tokens
from libs.storage.database.connection import transaction
from libs.storage.database.engine import rows
from libs.storage.database.statement import insert
from libs.storage.database.tables import BaseUser, now
from libs.storage.database.upload_tables import DirectUpload

MAX_OPEN = 1000  # of one account


class DirectUploadError(Exception):
    """A request about a direct upload cannot be fulfilled."""

    outcome: ClassVar[Outcome] = "refused"


class UploadNotFound(DirectUploadError):
    """There is no such upload, or it belongs to another account, or an hour has passed."""

    code = "upload_not_found"


class UploadClaimed(DirectUploadError):
    """An image was made of this upload already."""

    code = "upload_claimed"


class UploadIncomplete(DirectUploadError):
    """The file of the upload has not arrived. Send it to the upload's `url` first."""

    code = "upload_incomplete"


class UploadMismatch(DirectUploadError):
    """The file is not the one that was announced: its size, MD5 or type is another."""

    code = "upload_mismatch"


class TooManyUploads(DirectUploadError):
    """The account has too many open uploads. Make images of them, or wait an hour."""

    code = "too_many_uploads"


async def add(upload: DirectUpload) -> None:
    """Insert an upload, in the caller's transaction.

    Raises:
        UploadTokenUsedUp, UploadTokenInvalid: Its token has nothing left; the transaction is void.
    """
    await upload_tokens.spend(upload.token)
    await insert(upload)


async def require_room(owner: int) -> None:
    """Refuse one more upload.

    Raises:
        TooManyUploads: The account has reached its limit.
    """
    is_open = (DirectUpload.owner == owner) & DirectUpload.image.is_null()
    if cast("int", await DirectUpload.count().where(is_open)) >= MAX_OPEN:
        raise TooManyUploads(f"an account may have {MAX_OPEN} open uploads")


async def open_one(upload_id: UUID, *, owner: int | None = None, token: UUID | None = None) -> DirectUpload:
    """Return an upload that no image was made of; that of an owner, or of a token, if these are given.

    Raises:
        UploadNotFound: There is none.
        UploadClaimed: An image was made of it.
    """
    found = await DirectUpload.objects().where(DirectUpload.id == upload_id).first()
    if found is None or found.expires_at <= now():
        raise UploadNotFound(f"there is no upload {upload_id}")
    if owner not in (None, found.owner) or token not in (None, found.token):
        raise UploadNotFound(f"there is no upload {upload_id}")
    if found.image is not None:
        raise UploadClaimed(f"upload {upload_id} is image {found.image} already")
    return found


async def by_id(upload_id: UUID) -> DirectUpload:
    """Return an upload, claimed or not.

    Raises:
        UploadNotFound: It was removed.
    """
    found = await DirectUpload.objects().where(DirectUpload.id == upload_id).first()
    if found is None:
        raise UploadNotFound(f"there is no upload {upload_id}")
    return found


async def has_active_owner(upload: DirectUpload) -> bool:
    """Return whether the account of an upload still exists."""
    return await BaseUser.exists().where((BaseUser.id == upload.owner) & (BaseUser.active == True))  # noqa: E712


async def claim(upload_id: UUID, image: UUID) -> None:
    """Note the image that is made of an upload, in the transaction that stores the image.

    Raises:
        UploadClaimed, UploadNotFound: Another was faster, or time has run out; the transaction is void.
    """
    unclaimed: Any = (DirectUpload.id == upload_id) & DirectUpload.image.is_null()
    claimed = cast("Any", DirectUpload.update({DirectUpload.image: image}))
    if not await rows(
        claimed.where(unclaimed & (DirectUpload.expires_at > now())).returning(DirectUpload.id)
    ):
        await open_one(upload_id)
        raise UploadNotFound(f"there is no upload {upload_id}")


async def give_up(ids: Sequence[UUID], *, claimed_too: bool = False) -> int:
    """Delete uploads and give back what they count for their tokens; return how many were deleted."""
    if not ids:
        return 0
    chosen: Any = DirectUpload.id.is_in(list(ids))
    if not claimed_too:
        chosen = chosen & DirectUpload.image.is_null()
    async with transaction():
        found = await rows(
            DirectUpload.delete().where(chosen).returning(DirectUpload.token, DirectUpload.image)
        )
        tokens: list[UUID] = [row["token"] for row in found if row["token"] and row["image"] is None]
        for token in sorted(tokens):  # two schedulers that lock the same tokens must not wait for each other
            await upload_tokens.give_back(token)
    return len(found)


async def expired(limit: int) -> list[UUID]:
    """Return uploads whose time has run out, claimed or not, the oldest first."""
    found: list[dict[str, Any]] = await (
        DirectUpload.select(DirectUpload.id)
        .where(DirectUpload.expires_at <= now())
        .order_by(DirectUpload.expires_at)
        .limit(limit)
    )
    return [row["id"] for row in found]


async def postpone(ids: Sequence[UUID], later: timedelta) -> None:
    """Let uploads expire later: those whose file the store keeps, so that they do not hold up the others."""
    if ids:
        await DirectUpload.update({DirectUpload.expires_at: now() + later}).where(
            DirectUpload.id.is_in(list(ids))
        )


async def existing(ids: Sequence[UUID]) -> set[UUID]:
    """Return those of the ids that uploads have."""
    if not ids:
        return set()
    found: list[dict[str, Any]] = await DirectUpload.select(DirectUpload.id).where(
        DirectUpload.id.is_in(list(ids))
    )
    return {row["id"] for row in found}
