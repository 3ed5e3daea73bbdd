"""Offer the metrics of this process to Prometheus, on a port of their own."""

import platform
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from libs.contracts.outcome import Outcome
from libs.runtime import metrics
from libs.runtime.metrics.metric import Metric
from libs.runtime.metrics.pools import pool_states

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import GaugeMetricFamily

OF_POOLS = (metrics.POOL_SIZE, metrics.POOL_USED, metrics.POOL_WAITING)


class MetricsPortTaken(Exception):
    """The port for metrics cannot be listened on."""

    code = "metrics_port_taken"
    outcome: ClassVar[Outcome] = "permanent"


@contextmanager
def offered_metrics(app: str, version: str, *, host: str, port: int) -> Generator[None]:
    """Count, and answer requests for `/metrics` during the block; with port 0 do neither.

    Raises:
        MetricsPortTaken: Another program listens there, or the address is not of this machine.
    """
    if not port:
        yield
        return
    from prometheus_client import start_http_server

    registry = _enabled()
    metrics.BUILD_INFO.set(1, version, platform.python_version(), app)
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        text = f"metrics cannot be offered at {host}:{port}: {error.strerror or error}"
        raise MetricsPortTaken(f"{text}; set DARKROOM_METRICS_PORT to a free port") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _enabled() -> "CollectorRegistry":
    """Build all metrics in a registry of their own, with those of this process: CPU, memory, open files."""
    from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics

    disable_created_metrics()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    for metric in Metric.all:
        if metric not in OF_POOLS:
            metric.enable(registry)
    registry.register(_Pools())  # pyright: ignore[reportArgumentType] - it needs a `collect` only
    return registry


class _Pools:
    """Reads the pools when a scrape asks, so that their work is not slowed down."""

    def collect(self) -> "Iterator[GaugeMetricFamily]":
        from prometheus_client.core import GaugeMetricFamily

        found = list(pool_states())
        for position, metric in enumerate(OF_POOLS):
            family = GaugeMetricFamily(metric.name, metric.meaning, labels=["pool"])
            for name, state in found:
                family.add_metric([name], state[position])
            yield family

    def describe(self) -> "Iterator[GaugeMetricFamily]":
        return iter(())
