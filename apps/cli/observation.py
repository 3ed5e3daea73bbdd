"""What operators can watch of a process: its metrics, its traces, reports of its errors."""

from collections.abc import Generator
from contextlib import contextmanager

from libs import __version__
from libs.runtime.error_reports import reported_errors
from libs.runtime.metrics.exposition import offered_metrics
from libs.runtime.tracing.export import exported_traces
from libs.settings import Settings


@contextmanager
def observed(settings: Settings, app: str) -> Generator[None]:
    """Offer, send and report what the settings ask for during the block; by default that is nothing.

    Raises:
        MetricsPortTaken: The port for metrics cannot be listened on.
        TelemetryMissing: The packages for traces or reports are not installed.
    """
    with (
        reported_errors(app, __version__, dsn=settings.sentry_dsn),
        exported_traces(app, __version__, endpoint=settings.otlp_endpoint),
        offered_metrics(app, __version__, host=settings.host, port=settings.metrics_port),
    ):
        yield
