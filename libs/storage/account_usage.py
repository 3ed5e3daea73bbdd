"""What an account uses of its quotas, read in one query because every upload needs it."""

from msgspec import Struct

from libs.storage.database.statement import Slot, Statement
from libs.storage.database.tables import Image, Job


class Usage(Struct, frozen=True, kw_only=True):
    """What an account uses of its quotas."""

    waiting_jobs: int  # queued or running, without the jobs of batches
    stored_bytes: int = 0  # without images that are being deleted
    reserved_bytes: int = 0  # of direct uploads that no image is made of yet


async def of(owner: int) -> Usage:
    """Return what the owner's account uses."""
    (row,) = await _USAGE(owner=owner)
    return Usage(
        waiting_jobs=row["waiting_jobs"],
        stored_bytes=int(row["stored_bytes"]),
        reserved_bytes=int(row["reserved_bytes"]),
    )


async def of_jobs(owner: int) -> Usage:
    """Return what the owner's account uses, without its bytes: their sum reads an index of all its images."""
    (row,) = await _WAITING_JOBS(owner=owner)
    return Usage(waiting_jobs=row["waiting_jobs"])


_WAITING_JOBS = Statement(
    Job.raw(
        "select count(*) as waiting_jobs from job"
        " where owner = {} and status in ('queued', 'running') and batch is null",
        Slot("owner"),
    ),
    quick=True,
)
_USAGE = Statement(
    Image.raw(
        "select"
        " (select count(*) from job where owner = {} and status in ('queued', 'running') and batch is null)"
        " as waiting_jobs,"
        " (select coalesce(sum(size_bytes), 0) from direct_upload where owner = {} and image is null)"
        " as reserved_bytes,"
        " coalesce(sum(size_bytes), 0) as stored_bytes"
        " from image where owner = {} and status <> 'deleting'",
        Slot("owner"),
        Slot("owner"),
        Slot("owner"),
    )
)
