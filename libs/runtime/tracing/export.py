"""Send spans to a collector, by OTLP over HTTP.

The packages are those of the extra `telemetry`. They read further settings of OpenTelemetry from the
environment, such as `OTEL_TRACES_SAMPLER` and `OTEL_EXPORTER_OTLP_HEADERS`.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import ClassVar

from libs.contracts.outcome import Outcome
from libs.runtime import tracing

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


class TelemetryMissing(Exception):
    """A setting asks for packages that are not installed."""

    code = "telemetry_missing"
    outcome: ClassVar[Outcome] = "permanent"

    def __init__(self, setting: str) -> None:
        super().__init__(
            f"{setting} is set, but its packages are not installed: pip install darkroom[telemetry]"
        )


@contextmanager
def exported_traces(app: str, version: str, *, endpoint: str) -> Generator[None]:
    """Trace during the block, and send the spans to `endpoint`; do nothing without one.

    Spans that the collector does not take are dropped; they hold up neither work nor the end of the process.

    Raises:
        TelemetryMissing: The packages are not installed.
    """
    if not endpoint:
        yield
        return
    try:
        from libs.runtime.tracing.opentelemetry_tracer import OpenTelemetryTracer
    except ImportError as error:
        raise TelemetryMissing(ENDPOINT) from error
    tracer = OpenTelemetryTracer(app, version, endpoint=endpoint)
    tracing.use(tracer)
    try:
        yield
    finally:
        tracing.use(None)
        tracer.close()
