"""The scheduler: every timed task, each in a loop of its own.

Several schedulers may run at once: each task decides its races in one statement, or is safe to repeat.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog

from apps.scheduler.measure import measure
from apps.scheduler.purge import purge
from apps.scheduler.purge_history import HistoryPurge
from apps.scheduler.repeat import repeat
from apps.scheduler.sweep import sweep
from libs.backends import Backends
from libs.batches.throttle import ThrottleRelease
from libs.delivery import eviction
from libs.images import direct_upload, expiry
from libs.jobs import replies
from libs.runtime.background import supervised_loops
from libs.webhooks.dispatch import dispatching_webhooks

PURGE_EVERY_S = 60.0
EVICT_EVERY_S = 10.0
UPLOADS_EVERY_S = 60.0
HISTORY_EVERY_S = 1.0
MEASURE_EVERY_S = 15.0

log = structlog.get_logger(__name__)


@asynccontextmanager
async def scheduling(backends: Backends) -> AsyncGenerator[None]:
    """Run all timed tasks while the block runs.

    Raises:
        ExceptionGroup: A loop died; the block was cancelled.
    """
    tick_s = backends.settings.tick_s
    log.info("scheduler_started", tick_s=tick_s)
    loops = {
        "sweep": repeat("sweep", sweep, backends, every_s=tick_s),
        "replies": repeat("replies", replies.send_due_replies, backends, every_s=tick_s),
        "throttle_release": repeat("throttle_release", ThrottleRelease().release, backends, every_s=tick_s),
        "expiry": repeat("expiry", expiry.expire, backends, every_s=tick_s),
        "eviction": repeat("eviction", eviction.evict, backends, every_s=EVICT_EVERY_S),
        "uploads": repeat("uploads", direct_upload.remove_expired, backends, every_s=UPLOADS_EVERY_S),
        "purge": repeat("purge", purge, backends, every_s=PURGE_EVERY_S),
        "history": repeat("history", HistoryPurge().step, backends, every_s=HISTORY_EVERY_S),
    }
    if backends.settings.metrics_port:
        loops["measure"] = repeat("measure", measure, backends, every_s=MEASURE_EVERY_S)
    async with dispatching_webhooks(backends), supervised_loops(loops):
        yield
