"""What an account holds, in one query: it is asked at every upload. Jobs of batches are counted by these."""

from msgspec import Struct

from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import Image


class Usage(Struct, frozen=True, kw_only=True):
    """An account's share of what is limited."""

    waiting_jobs: int
    stored_bytes: int


async def of(owner: int) -> Usage:
    """The owner's jobs that have not ended, and the bytes of the images that are not on their way out."""
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
