"""What this process counts, for tests that look at metrics without a port."""

from collections.abc import Callable, Iterator

import pytest
from prometheus_client import CollectorRegistry

from libs.runtime.metrics import Metric

Counted = Callable[..., float]
"""Return the value of a series, by its name and labels; 0 if there is none."""


@pytest.fixture
def counted() -> Iterator[Counted]:
    """Count from 0 during the test."""
    registry = CollectorRegistry()
    for metric in Metric.all:
        metric.enable(registry)

    def value(name: str, **labels: str) -> float:
        return registry.get_sample_value(name, labels) or 0.0

    yield value
    for metric in Metric.all:
        metric.real = None
