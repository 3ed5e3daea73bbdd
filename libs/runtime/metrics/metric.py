"""Metrics that cost nothing until a process offers them: only then is the client library imported."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class Metric:
    """A metric and what its labels mean. Until `enable` was called, its events are ignored.

    `labels` maps each label to its values where these are few and fixed, and to nothing where they are not. A
    metric with one label of fixed values begins with 0 for each of them, so that the first event counts.
    """

    kind: ClassVar[str]
    all: ClassVar[list["Metric"]] = []
    """Every metric of the program, in the order of the page that lists them."""

    def __init__(self, name: str, meaning: str, **labels: Sequence[str]) -> None:
        self.name = name
        self.meaning = meaning
        self.labels = labels
        self.real: Any = None
        Metric.all.append(self)

    def enable(self, registry: "CollectorRegistry") -> None:
        """Begin to count, in `registry`."""
        self.real = self._build(registry)
        if len(self.labels) == 1:
            for value in next(iter(self.labels.values())):
                self.real.labels(value)

    def _build(self, registry: "CollectorRegistry") -> object:
        raise NotImplementedError

    def _of(self, values: Iterable[str]) -> Any:  # noqa: ANN401 - one of the library's classes
        return self.real.labels(*values) if self.labels else self.real


class Counter(Metric):
    """A number of events, or their sum."""

    kind = "counter"

    def add(self, *values: str, by: float = 1) -> None:
        """Count an event with these values of the labels."""
        if self.real is not None:
            self._of(values).inc(by)

    def _build(self, registry: "CollectorRegistry") -> object:
        from prometheus_client import Counter

        return Counter(self.name, self.meaning, list(self.labels), registry=registry)


class Gauge(Metric):
    """A number that goes up and down."""

    kind = "gauge"

    def set(self, value: float, *values: str) -> None:
        """Replace the number with these values of the labels."""
        if self.real is not None:
            self._of(values).set(value)

    def _build(self, registry: "CollectorRegistry") -> object:
        from prometheus_client import Gauge

        return Gauge(self.name, self.meaning, list(self.labels), registry=registry)


class Histogram(Metric):
    """The distribution of durations in seconds."""

    kind = "histogram"

    def __init__(self, name: str, meaning: str, buckets: Sequence[float], **labels: Sequence[str]) -> None:
        super().__init__(name, meaning, **labels)
        self.buckets = buckets

    def observe(self, seconds: float, *values: str) -> None:
        """Add a duration with these values of the labels."""
        if self.real is not None:
            self._of(values).observe(seconds)

    def _build(self, registry: "CollectorRegistry") -> object:
        from prometheus_client import Histogram

        return Histogram(self.name, self.meaning, list(self.labels), buckets=self.buckets, registry=registry)
