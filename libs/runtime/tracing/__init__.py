"""Traces: a request, its jobs and its webhooks as one tree of spans.

Off, every function here only looks at a variable, and nothing of OpenTelemetry is imported.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, Protocol, TypeAlias

from structlog.types import EventDict

HEADER = "traceparent"  # of W3C Trace Context, in HTTP requests and in AMQP messages

Attributes: TypeAlias = Mapping[str, str | int | float]
Kind: TypeAlias = Literal["server", "client", "producer", "consumer", "internal"]

NONE: Attributes = {}


class Span(Protocol):
    """A span that is open."""

    def note(self, attributes: Attributes) -> None:
        """Add attributes."""
        ...

    def rename(self, name: str) -> None:
        """Replace the name, where it is known only at the end."""
        ...

    def failed(self, reason: str) -> None:
        """Mark the work as failed, where no exception says so."""
        ...


class Tracer(Protocol):
    """Makes spans; `libs.runtime.tracing.export` has the implementation."""

    def entry(
        self, name: str, kind: Kind, parent: str | None, link: str | None, attributes: Attributes
    ) -> AbstractContextManager[Span]: ...

    def inside(self, name: str, kind: Kind, attributes: Attributes) -> AbstractContextManager[Span]: ...

    def traceparent(self) -> str | None: ...

    def ids(self) -> tuple[str, str] | None: ...


class _NoSpan:
    def note(self, attributes: Attributes) -> None: ...

    def rename(self, name: str) -> None: ...

    def failed(self, reason: str) -> None: ...


OFF: AbstractContextManager[Span] = nullcontext(_NoSpan())
"""What stands for a span that nobody records; it can be entered any number of times."""

_tracer: Tracer | None = None


def use(tracer: Tracer | None) -> None:
    """Make spans by `tracer` from now on; None turns tracing off."""
    global _tracer
    _tracer = tracer


def is_on() -> bool:
    """Return whether spans are made."""
    return _tracer is not None


def entry(
    name: str, kind: Kind, *, parent: str | None, link: str | None = None, attributes: Attributes = NONE
) -> AbstractContextManager[Span]:
    """Open a span below the `traceparent` of another process or of a row; without one, in a new trace.

    `link` is the `traceparent` of a span that led to this one, where that has a trace of its own.
    """
    return OFF if _tracer is None else _tracer.entry(name, kind, parent, link, attributes)


def inside(name: str, kind: Kind, attributes: Attributes = NONE) -> AbstractContextManager[Span]:
    """Open a span below the current one; where there is none, as in timed tasks, nothing is recorded."""
    return OFF if _tracer is None else _tracer.inside(name, kind, attributes)


def traceparent() -> str | None:
    """Return what makes a span elsewhere a child of the current one; None outside of a trace."""
    return None if _tracer is None else _tracer.traceparent()


def add_trace_id(_: object, __: str, event: EventDict) -> EventDict:
    """Add the ids of the current trace and span to a line of the log."""
    if _tracer is not None and (ids := _tracer.ids()) is not None:
        event["trace_id"], event["span_id"] = ids
    return event
