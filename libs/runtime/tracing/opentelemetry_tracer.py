"""The tracer of OpenTelemetry's SDK; import it only where the extra `telemetry` is installed."""

import os
import socket
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from libs.runtime.tracing import HEADER, OFF, Attributes, Kind, Span

KINDS = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
}
CALL_S = 5  # for the collector to answer

_propagator = TraceContextTextMapPropagator()


def _context(traceparent: str | None) -> Context:
    return _propagator.extract({HEADER: traceparent}, Context()) if traceparent else Context()


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def failed(self, reason: str) -> None:
        self._span.set_status(Status(StatusCode.ERROR, reason))


class OpenTelemetryTracer:
    """Makes spans and sends them in the background; `close` it at the end."""

    def __init__(self, app: str, version: str, *, endpoint: str) -> None:
        resource = Resource.create(
            {
                "service.namespace": "darkroom",
                "service.name": app,
                "service.version": version,
                "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
            }
        )
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=CALL_S)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("darkroom", version)

    @contextmanager
    def entry(
        self, name: str, kind: Kind, parent: str | None, link: str | None, attributes: Attributes
    ) -> Generator[Span]:
        links = [trace.Link(trace.get_current_span(_context(link)).get_span_context())] if link else []
        with self._tracer.start_as_current_span(
            name, context=_context(parent), kind=KINDS[kind], attributes=attributes, links=links
        ) as span:
            yield _Span(span)

    def inside(self, name: str, kind: Kind, attributes: Attributes) -> AbstractContextManager[Span]:
        return self._child(name, kind, attributes) if trace.get_current_span().is_recording() else OFF

    def traceparent(self) -> str | None:
        carrier: dict[str, str] = {}
        _propagator.inject(carrier)
        return carrier.get(HEADER)

    def ids(self) -> tuple[str, str] | None:
        context = trace.get_current_span().get_span_context()
        if not context.is_valid:
            return None
        return f"{context.trace_id:032x}", f"{context.span_id:016x}"

    def close(self) -> None:
        """Send what is left, within a few seconds."""
        self._provider.shutdown()

    @contextmanager
    def _child(self, name: str, kind: Kind, attributes: Attributes) -> Generator[Span]:
        with self._tracer.start_as_current_span(name, kind=KINDS[kind], attributes=attributes) as span:
            yield _Span(span)
