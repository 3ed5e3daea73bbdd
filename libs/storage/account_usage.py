"""What an account uses of its quotas, read in one query because every upload needs it."""

from msgspec import Struct

from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import Image


class Usage(Struct, frozen=True, kw_only=True):
    """What an account uses of its quotas."""

    waiting_jobs: int  # queued or running, without the jobs of batches
    stored_bytes: int  # without images that are being deleted


async def of(owner: int) -> Usage:
    """Return what the owner's account uses."""
    (row,) = await _USAGE(owner=owner)
    return Usage(waiting_jobs=row["waiting_jobs"], stored_bytes=int(row["stored_bytes"]))


_USAGE = Statement(
    Image.raw(
        "select"
        " (select count(*) from job where owner = {} and status in ('queued', 'running') and batch is null)"
        " as waiting_jobs,"
        " coalesce(sum(size_bytes), 0) as stored_bytes"
        " from image where owner = {} and status <> 'deleting'",
        Slot("owner"),
        Slot("owner"),
    )
)
