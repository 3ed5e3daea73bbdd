"""What an account may hold: stored bytes and unfinished jobs."""

from libs.backends import Backends
from libs.storage import account_usage, image_errors, jobs
from libs.storage.database.tables import BaseUser


async def check(owner: BaseUser, backends: Backends, *, more_bytes: int = 0, reserved_bytes: int = 0) -> None:
    """Refuse one more job, and `more_bytes` to store, when the account has no room for them.

    `reserved_bytes` of these are reserved for them already.

    Raises:
        TooManyJobs, QuotaExceeded: The account is at its limit.
    """
    settings = backends.settings
    if more_bytes:
        held = await account_usage.of(owner.id)
    else:
        held = await account_usage.of_jobs(owner.id)
    if held.waiting_jobs >= settings.quota_jobs:
        raise jobs.TooManyJobs(f"{settings.quota_jobs} jobs are waiting already")
    bytes_held = held.stored_bytes + held.reserved_bytes - reserved_bytes
    if more_bytes and bytes_held + more_bytes > settings.quota_bytes:
        raise image_errors.QuotaExceeded(f"the account would hold more than {settings.quota_bytes} bytes")
