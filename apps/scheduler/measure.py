"""Measure what waits, for the metrics of this process."""

import time
from contextlib import suppress

from libs.backends import Backends
from libs.broker import BrokerUnavailable
from libs.contracts.topology import Route
from libs.jobs.publish import QUEUES
from libs.runtime import metrics
from libs.storage import backlog

KINDS = metrics.RECOVERY_ITEMS.labels["kind"]


async def measure(backends: Backends) -> int:
    """Set the gauges of queues, expiry, recovery items and dead letters; return 0, since nothing was due."""
    jobs, oldest_s = dict.fromkeys(Route, 0), dict.fromkeys(Route, 0.0)
    for found in await backlog.queued():
        route = QUEUES[found.kind, found.priority]
        jobs[route] += found.jobs
        oldest_s[route] = max(oldest_s[route], found.oldest_s)
    for route in Route:
        metrics.JOBS_QUEUED.set(jobs[route], route.value)
        metrics.JOBS_OLDEST_QUEUED.set(oldest_s[route], route.value)
    metrics.EXPIRY_LAG.set(await backlog.expiry_lag_s())
    aside = await backlog.set_aside_by_kind()
    for kind in KINDS:
        metrics.RECOVERY_ITEMS.set(aside.get(kind, 0), kind)
    metrics.BACKLOG_MEASURED.set(time.time())
    with suppress(BrokerUnavailable):  # counted as an error of the broker
        metrics.DEAD_LETTERS.set(await backends.broker.dead_letter_count())
    return 0
