"""Delete rows that are no longer needed."""

from collections.abc import Awaitable, Callable

import structlog

from libs.backends import Backends
from libs.storage import (
    accounts,
    audit,
    host_throttle,
    idempotency,
    refresh_tokens,
    set_aside,
    upload_tokens,
    webhook_deliveries,
)
from libs.storage.database.errors import DatabaseUnavailable

PURGES: tuple[Callable[[], Awaitable[int]], ...] = (
    refresh_tokens.purge_expired,
    idempotency.purge_expired,
    upload_tokens.purge_expired,
    webhook_deliveries.purge,
    accounts.purge_deleted,
    host_throttle.purge_pauses,
    set_aside.purge,
    audit.purge,
)

log = structlog.get_logger(__name__)


async def purge(_: Backends) -> int:
    """Delete expired tokens and keys, old deliveries, deleted accounts and past pauses; return how many.

    An error for one kind of row does not stop the others.
    """
    purged = 0
    for purge_kind in PURGES:
        try:
            purged += await purge_kind()
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("purge_broke", purge=f"{purge_kind.__module__}.{purge_kind.__name__}")
    return purged
