"""A collector of traces: it takes OTLP over HTTP, refuses what is malformed, and keeps every span."""

import asyncio
import gzip
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from msgspec import Struct
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from tests.support.ports import bound
from tests.support.waiting import WAIT_S

KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
PROTOBUF = "application/x-protobuf"


class CollectedSpan(Struct, frozen=True, kw_only=True):
    """A span as it came; ids are hexadecimal."""

    trace: str
    id: str
    parent: str  # empty: the first of its trace
    name: str
    kind: str
    service: str
    attributes: dict[str, Any]
    failed: bool
    start_ns: int
    links: tuple[tuple[str, str], ...]  # trace and span


class Collector:
    """The spans that came so far."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.spans: list[CollectedSpan] = []
        self.malformed: list[str] = []
        self._came = asyncio.Condition()

    def trace(self, trace: str) -> list[CollectedSpan]:
        """The spans of a trace that came so far, by their start."""
        return sorted((span for span in self.spans if span.trace == trace), key=lambda span: span.start_ns)

    async def until(self, wanted: Callable[[CollectedSpan], bool]) -> CollectedSpan:
        """The first span that is wanted, once it is there."""

        def found() -> CollectedSpan | None:
            return next((span for span in self.spans if wanted(span)), None)

        async with asyncio.timeout(WAIT_S), self._came:
            span = await self._came.wait_for(found)
            assert span is not None
            return span

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip" and body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        try:
            assert request.content_type == PROTOBUF, request.content_type
            exported = ExportTraceServiceRequest.FromString(body)
            spans = [
                _span(span, _values(resource.resource.attributes))
                for resource in exported.resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            ]
        except Exception as error:  # noqa: BLE001 - the test shows it
            self.malformed.append(repr(error))
            return web.Response(status=400)
        async with self._came:
            self.spans += spans
            self._came.notify_all()
        return web.Response(body=ExportTraceServiceResponse().SerializeToString(), content_type=PROTOBUF)


def _span(span: Any, resource: dict[str, Any]) -> CollectedSpan:
    assert (len(span.trace_id), len(span.span_id)) == (16, 8)
    assert len(span.parent_span_id) in (0, 8)
    assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano
    assert resource["service.namespace"] == "darkroom"
    return CollectedSpan(
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        name=span.name,
        kind=KINDS[span.kind],
        service=resource["service.name"],
        attributes=_values(span.attributes),
        failed=span.status.code == 2,
        start_ns=span.start_time_unix_nano,
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
    )


def _values(attributes: "list[KeyValue] | Any") -> dict[str, Any]:
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in attributes}


@asynccontextmanager
async def collecting() -> AsyncGenerator[Collector]:
    """Run a collector; everything that came must have been well-formed."""
    (listener,) = bound("127.0.0.1")
    collector = Collector(listener.getsockname()[1])
    app = web.Application()
    app.router.add_post("/v1/traces", collector.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield collector
        assert collector.malformed == []
    finally:
        await runner.cleanup()
