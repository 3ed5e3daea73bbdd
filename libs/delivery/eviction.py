"""Keep the cache of renditions within its size, and remove what renders left behind."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from libs.backends import Backends
from libs.storage import renditions
from libs.storage.database.delivery_tables import Rendition
from libs.storage.database.tables import now
from libs.storage.objects import StorageError

BATCH = 200
FILL = 0.95  # of the size, down to which an eviction goes
ABANDONED = timedelta(minutes=10)  # after the end of the lease: far longer than storing takes

log = structlog.get_logger(__name__)


async def evict(backends: Backends) -> int:
    """Remove the renditions that were used longest ago until the cache has its size; return how many.

    Claims of renders that died go too, and what was rendered of remote images for deleted accounts.
    """
    await renditions.remove_abandoned(now() - ABANDONED)
    of_closed = await renditions.remove_of_closed_accounts(BATCH)
    await remove_objects([key for key in of_closed if key], backends)
    limit, evicted = backends.settings.renditions_bytes, 0
    total = await renditions.total_bytes()
    if total <= limit:
        return 0
    while total > limit * FILL and (oldest := await renditions.least_used(BATCH)):
        chosen = _first_of_size(oldest, total - limit * FILL)
        await renditions.remove([row.id for row in chosen])
        await remove_objects([row.object_key for row in chosen], backends)
        total -= sum(row.size_bytes for row in chosen)
        evicted += len(chosen)
    return evicted


async def remove_objects(keys: Sequence[str], backends: Backends) -> None:
    """Delete the objects of renditions whose rows are gone; `darkroom doctor` finds what stays."""
    if not keys:
        return
    try:
        await backends.objects.delete(keys)
    except StorageError as error:
        log.warning("renditions_kept", count=len(keys), error=str(error))


def _first_of_size(rows: Sequence[Rendition], size_bytes: float) -> list[Rendition]:
    """Return the first rows that have this size together, or all of them."""
    chosen: list[Rendition] = []
    for row in rows:
        if size_bytes <= 0:
            break
        chosen.append(row)
        size_bytes -= row.size_bytes
    return chosen
