"""Send errors of the log to Sentry, or to a service with its interface, if a DSN is set."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from structlog.types import EventDict

from libs.runtime.tracing.export import TelemetryMissing

LEVELS = ("error", "critical")
CLOSE_S = 2.0  # for reports that are under way when the process ends

_report: Callable[[EventDict], None] | None = None


@contextmanager
def reported_errors(app: str, version: str, *, dsn: str) -> Generator[None]:
    """Send each error of the log to `dsn` during the block; do nothing without one.

    Reports have the event and its ids, and the traceback without the values of variables.

    Raises:
        TelemetryMissing: The package is not installed.
    """
    global _report
    if not dsn:
        yield
        return
    try:
        import sentry_sdk
    except ImportError as error:
        raise TelemetryMissing("SENTRY_DSN") from error

    sentry_sdk.init(
        dsn,
        release=f"darkroom@{version}",
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        max_request_body_size="never",
        shutdown_timeout=CLOSE_S,
    )

    def report(event: EventDict) -> None:
        with sentry_sdk.new_scope() as scope:
            scope.set_tag("app", app)
            for name, value in event.items():
                if isinstance(value, str | int | float) and name not in ("event", "exc_info"):
                    scope.set_tag(name, str(value))
            error = event.get("exc_info")
            error = sys.exc_info()[1] if error is True else error
            if isinstance(error, BaseException):
                scope.set_transaction_name(str(event["event"]))
                sentry_sdk.capture_exception(error)
            else:
                sentry_sdk.capture_message(str(event["event"]), level="error")

    _report = report
    try:
        yield
    finally:
        _report = None
        sentry_sdk.get_client().close(timeout=CLOSE_S)


def report_error(_: object, method: str, event: EventDict) -> EventDict:
    """Report a line of the log that is an error; for structlog's chain of processors."""
    if _report is not None and event.get("level") in LEVELS:
        _report(event)
    return event
