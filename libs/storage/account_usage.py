"""An account's use of its quotas, in one query, since every upload needs it. Batches count their own jobs."""

from msgspec import Struct

from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import Image


class Usage(Struct, frozen=True, kw_only=True):
    """An account's use of its quotas."""

    waiting_jobs: int
    stored_bytes: int


async def of(owner: int) -> Usage:
    """Count the owner's unfinished jobs, and the bytes of images that are not being deleted."""
    (held,) = await _HELD(owner=owner)
    return Usage(waiting_jobs=held["waiting_jobs"], stored_bytes=int(held["stored_bytes"]))


_HELD = Statement(
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
