"""Direct uploads: a client stores a file at a signed address, and then makes an image of it.

The file lies at `object_keys.upload_key` until then, and nobody is handed it from there. Who makes the image
copies it, checks the copy like any upload, and notes the image in the transaction that stores it. A file of
which no image is made is removed after `OPEN_S`.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import structlog
from msgspec import Struct

from libs.backends import Backends
from libs.jobs import quotas
from libs.storage import direct_uploads, idempotency
from libs.storage.database.connection import transaction
from libs.storage.database.statement import new_row
from libs.storage.database.tables import BaseUser, new_id, now
from libs.storage.database.upload_tables import DirectUpload
from libs.storage.direct_uploads import UploadMismatch
from libs.storage.idempotency import Reservation
from libs.storage.object_keys import UPLOADS, upload_id_of, upload_key
from libs.storage.objects import Digest, ObjectsNotDeleted, StorageError

OPEN_S = 3600.0
PUT_S = 1800.0  # for beginning to store the file; the rest is for its bytes, and for making the image
BATCH = 200

log = structlog.get_logger(__name__)


class OpenUpload(Struct, frozen=True, kw_only=True):
    """A file that a client announces."""

    owner: BaseUser
    filename: str
    size_bytes: int
    content_type: str
    md5: str | None = None
    token: UUID | None = None  # the upload token that it counts for
    reservation: Reservation | None = None


async def open_upload(command: OpenUpload, backends: Backends) -> DirectUpload:
    """Reserve the bytes of a file, and its place among those of its token.

    Raises:
        QuotaExceeded, TooManyJobs, TooManyUploads, UploadTokenUsedUp, UploadTokenInvalid: Nothing is opened.
    """
    await quotas.check(command.owner, backends, more_bytes=command.size_bytes)
    await direct_uploads.require_room(command.owner.id)
    moment = now()
    upload = new_row(
        DirectUpload,
        id=new_id(),
        owner=command.owner.id,
        token=command.token,
        filename=command.filename,
        content_type=command.content_type,
        size_bytes=command.size_bytes,
        md5=command.md5 and command.md5.lower(),
        expires_at=moment + timedelta(seconds=OPEN_S),
        created_at=moment,
    )
    async with transaction():
        await direct_uploads.add(upload)
        await idempotency.bind(command.reservation, subject=upload.id)
    return upload


def put_until(upload: DirectUpload) -> float:
    """Return for how many more seconds storing the file can be begun; negative when that is over."""
    return PUT_S - (now() - upload.created_at).total_seconds()


def check_file(upload: DirectUpload, *, size_bytes: int, md5: str | None = None) -> None:
    """Check that a file is the announced one; `md5` is None while it is not known.

    Raises:
        UploadMismatch: It is not.
    """
    if size_bytes != upload.size_bytes:
        raise UploadMismatch(f"the file has {size_bytes} bytes, {upload.size_bytes} were announced")
    if md5 is not None and upload.md5 is not None and md5 != upload.md5:
        raise UploadMismatch(f"the file has the MD5 {md5}, {upload.md5} was announced")


async def store_file(upload: DirectUpload, path: Path, md5: str, backends: Backends) -> None:
    """Store the file of an upload, in the place of an earlier one; the file at `path` is consumed.

    Raises:
        StoreUnavailable: The object store did not take it.
    """
    await backends.objects.put(
        upload_key(upload.id),
        path,
        content_type=upload.content_type,
        metadata={"upload-id": str(upload.id)},
        expected=Digest(upload.size_bytes, md5),
    )


async def discard(upload: DirectUpload, backends: Backends) -> None:
    """Give up an upload whose file is no image, unless an image was made of it; remove the file."""
    if await direct_uploads.give_up([upload.id]):
        await remove_file(upload.id, backends)


async def remove_file(upload_id: UUID, backends: Backends) -> None:
    """Remove the file of an upload that is claimed or given up; if that fails now, the scheduler does it."""
    try:
        await backends.objects.delete([upload_key(upload_id)])
    except StorageError as error:
        log.warning("upload_removal_waits", upload_id=str(upload_id), error=str(error))


async def remove_expired(backends: Backends) -> int:
    """Remove uploads whose time has run out, and files that no upload has; return how many."""
    removed = 0
    while ids := await direct_uploads.expired(BATCH):
        removed += await _remove(ids, backends)
        if len(ids) < BATCH:
            break
    return removed + await remove_strays(backends)


async def remove_strays(backends: Backends, *, older_than_s: float = OPEN_S) -> int:
    """Remove files without an upload: their request began in time, and ended after their removal."""
    before, strays = now() - timedelta(seconds=older_than_s), list[UUID]()
    async for stored in backends.objects.scan(f"{UPLOADS}/"):
        upload_id = upload_id_of(stored.key)
        if upload_id is not None and stored.modified_at < before:
            strays.append(upload_id)
        if len(strays) == BATCH:
            break
    known = await direct_uploads.existing(strays)
    gone = [upload_id for upload_id in strays if upload_id not in known]
    return len(gone) - len(await _delete_files(gone, backends))


async def _remove(ids: Sequence[UUID], backends: Backends) -> int:
    """Remove the files, then the rows; an upload whose file the store keeps is tried again later."""
    kept = await _delete_files(ids, backends)
    await direct_uploads.postpone(kept, timedelta(seconds=OPEN_S))
    gone = [upload_id for upload_id in ids if upload_id not in kept]
    return await direct_uploads.give_up(gone, claimed_too=True)


async def _delete_files(ids: Sequence[UUID], backends: Backends) -> list[UUID]:
    """Delete files, and return the uploads of those that the store keeps.

    Raises:
        StorageError: The store does not work.
    """
    try:
        await backends.objects.delete([upload_key(upload_id) for upload_id in ids])
    except ObjectsNotDeleted as error:
        kept = [upload_id for upload_id in ids if upload_key(upload_id) in error.reasons]
        log.error("upload_kept", count=len(kept), reason=str(error))
        return kept
    return []
