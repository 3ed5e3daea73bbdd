"""Delete renditions before their time: of a preset that changed, of an image whose owner asks for it.

The rows go first, so that no address finds them, and what is being rendered is not recorded. An object that
the store does not delete is found by `darkroom doctor`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

from libs.backends import Backends
from libs.delivery.eviction import remove_objects
from libs.runtime.background import run_to_completion
from libs.storage import renditions

BATCH = 500
ROUND_S = 20.0  # for one purge; renditions that are left are found by nobody, and evicted in their time
GRACE_S = 2.0

log = structlog.get_logger(__name__)


async def renditions_of_preset(owner: int, preset: str, backends: Backends) -> int:
    """Delete the renditions of an account's preset; return how many."""
    return await _purge(lambda: renditions.remove_of_preset(owner, preset, limit=BATCH), backends)


async def renditions_of_image(image_id: UUID, backends: Backends, *, preset: str | None = None) -> int:
    """Delete the renditions of an image, or those of one preset; return how many."""
    return await _purge(lambda: renditions.remove_of_image(image_id, preset=preset, limit=BATCH), backends)


async def _purge(take: Callable[[], Awaitable[list[str]]], backends: Backends) -> int:
    """Delete rows a batch at a time, and their objects; a cancelled caller does not cut a batch in two."""
    clock = asyncio.get_running_loop().time
    until, removed = clock() + ROUND_S, 0
    while True:
        taken = await run_to_completion(_purge_batch(take, backends), grace_s=GRACE_S)
        removed += taken
        if taken < BATCH:
            return removed
        if clock() >= until:
            log.warning("purge_unfinished", removed=removed)
            return removed


async def _purge_batch(take: Callable[[], Awaitable[list[str]]], backends: Backends) -> int:
    keys = await take()
    await remove_objects([key for key in keys if key], backends)
    return len(keys)
