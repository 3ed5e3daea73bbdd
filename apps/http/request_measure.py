"""What is watched of a request, the same for every app: its time and bytes by route, and its span."""

from collections.abc import Generator
from contextlib import contextmanager
from time import perf_counter

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from libs.runtime import metrics, tracing

NO_ROUTE = "none"  # of an address that leads nowhere
OTHER = "other"  # a method that nobody knows
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
WITH_BODY = frozenset(("POST", "PUT", "PATCH"))
STREAM = b"text/event-stream"
TRACE_HEADER = tracing.HEADER.encode()


class RequestMeasure:
    """Measures one request; the wrapper of an app shows it what passes."""

    __slots__ = ("_ended", "_received", "_sent", "_started", "status")

    def __init__(self) -> None:
        self.status = 500  # of a response that never began
        self._started = perf_counter()
        self._ended: float | None = None
        self._received = 0
        self._sent = 0

    def note_sent(self, message: Message) -> None:
        """Look at a part of the response; the time of an event stream ends with its head."""
        if message["type"] == "http.response.body":
            self._sent += len(message.get("body", b""))
        elif message["type"] == "http.response.start":
            self.status = message["status"]
            if any(
                name == b"content-type" and value.startswith(STREAM) for name, value in message["headers"]
            ):
                self._ended = perf_counter()

    def counting(self, receive: Receive) -> Receive:
        """Return a `receive` that counts the bytes of the request's body."""

        async def counted() -> Message:
            message: Message = await receive()  # pyright: ignore[reportAssignmentType]
            if message["type"] == "http.request":
                self._received += len(message.get("body", b""))
            return message

        return counted  # pyright: ignore[reportReturnType]

    def end(self, method: str, route: str | None) -> float:
        """Count the request; return how many seconds all of it took."""
        now = perf_counter()
        took_s = (self._ended or now) - self._started
        metrics.HTTP_REQUEST_DURATION.observe(took_s, route or NO_ROUTE, method, str(self.status))
        if self._received:
            metrics.BYTES.add("received", by=self._received)
        if self._sent:
            metrics.BYTES.add("sent", by=self._sent)
        return now - self._started


def known_method(scope: HTTPScope) -> str:
    """Return the request's method, or one word for all methods that do not exist."""
    return scope["method"] if scope["method"] in METHODS else OTHER


def route_of(scope: HTTPScope) -> str | None:
    """Return the template of the request's route, or the path of the app that is mounted there."""
    template = scope.get("path_template")
    if template == "":
        return next(iter(scope["route_handler"].paths))
    return template


@contextmanager
def request_span(scope: HTTPScope, measure: RequestMeasure, route: str | None = None) -> Generator[None]:
    """Open the span of a request, below the one that its client names.

    It has the name and attributes of OpenTelemetry's conventions for HTTP, but no path: some have tokens.
    """
    method = known_method(scope)
    parent = dict(scope["headers"]).get(TRACE_HEADER, b"").decode("latin-1") or None
    with tracing.entry(method, "server", parent=parent, attributes={"http.request.method": method}) as span:
        try:
            yield
        finally:
            span.note({"http.response.status_code": measure.status})
            if found := route or route_of(scope):
                span.rename(f"{method} {found}")
                span.note({"http.route": found})
            if measure.status >= 500:
                span.failed(f"status {measure.status}")


def with_measure(app: ASGIApp, route: str) -> ASGIApp:
    """Wrap an app that answers the requests of one route, so that they are measured and traced."""

    async def measured(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        measure = RequestMeasure()

        async def send_measured(message: Message) -> None:
            measure.note_sent(message)
            await send(message)

        try:
            with request_span(scope, measure, route) if tracing.is_on() else tracing.OFF:
                await app(scope, receive, send_measured)
        finally:
            measure.end(known_method(scope), route)

    return measured
