"""Limits on connections: how many, and how long and how large the head of a request may be."""

import resource
from asyncio import TimerHandle, Transport
from typing import Any

import structlog
from msgspec import Struct
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from libs.runtime import metrics

MAX_HEAD_BYTES = 64 * 1024
MANY_FILES = 65_536  # where there is no limit
FIRST_REQUEST_S = 1.0  # for the request of a new connection while the server stops
RESERVED_FILES = 256  # for the database, the broker, the object store, logs and modules
FILES_A_CONNECTION = 2  # its socket, and the file that it uploads or downloads
RESPONSE = b"HTTP/1.1 %b\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"

log = structlog.get_logger(__name__)


class ConnectionLimits(Struct, frozen=True, kw_only=True):
    """Limits of one process: connections at a time, and seconds for the head of a request."""

    max_connections: int
    head_s: float


class ConnectionConfig(Config):
    """uvicorn's configuration, with the limits that its protocol lacks."""

    def __init__(self, *arguments: Any, limits: ConnectionLimits, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, http=LimitedProtocol, ws="none", **options)
        self.limits = limits
        self.waiting: dict[LimitedProtocol, None] = {}  # for a request's head, longest first


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with a deadline for each head, and for a body that the application does not read.

    When there are too many connections, the one that has waited longest for a request is closed.
    Requests that do not reach the application are counted here.
    """

    config: ConnectionConfig

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - as uvicorn calls it
        super().__init__(*arguments, **options)
        self._deadline: TimerHandle | None = None
        self._in_head = False
        self._head_bytes = 0
        self._in_body = False
        self._is_last = False  # the next request is: the server stops

    def connection_made(self, transport: Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        if len(self.connections) > self.config.limits.max_connections:
            self._make_room()
        if not transport.is_closing():
            self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and self._is_answered() and not self._in_body:
            self._await_request()
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(b"431 Request Header Fields Too Large", "head_too_large")

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()  # raises for a head that only looks complete
        self._in_head, self._in_body = False, True
        self._clear_deadline()
        if self._is_last:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()
        if self._is_answered():
            self._clear_deadline()
            self._await_request()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing() or not self._is_answered():
            return
        if self._in_body:  # the client still sends what nobody reads
            self._unset_keepalive_if_required()
            self._start_deadline()
        else:
            self.config.waiting[self] = None

    def send_400_response(self, msg: str) -> None:
        if not self._in_body:  # that of a request which the application counts
            metrics.HTTP_REFUSED.add("bad_head")
        super().send_400_response(msg)

    def shutdown(self) -> None:
        """Close the connection once its running request is answered, at once if there is none.

        A connection that is new, or in a head, gets an answer too: its client cannot know of the end,
        and a proxy does not send such a request again.
        """
        if self._in_head or self.cycle is None:
            self._is_last = True
            self.loop.call_later(FIRST_REQUEST_S, self._close_unless_used)
        else:
            super().shutdown()

    def _close_unless_used(self) -> None:
        if self._is_answered():
            self._close()

    def _await_request(self) -> None:
        self.config.waiting.pop(self, None)
        self.config.waiting[self] = None
        self._start_deadline()

    def _start_deadline(self) -> None:
        self._deadline = self.loop.call_later(self.config.limits.head_s, self._expire)

    def _clear_deadline(self) -> None:
        self.config.waiting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        if self._in_head:
            self._refuse(b"408 Request Timeout", "head_timeout")
        else:
            self._close()

    def _make_room(self) -> None:
        oldest = next(iter(self.config.waiting), None)
        if oldest is None:
            log.warning("connection_refused", connections=len(self.connections))
            self._refuse(b"503 Service Unavailable", "connections")
        else:
            if oldest._in_head:
                metrics.HTTP_REFUSED.add("displaced")
            oldest._close()

    def _refuse(self, status: bytes, reason: str) -> None:
        if not self.transport.is_closing():
            metrics.HTTP_REFUSED.add(reason)
            self.transport.write(RESPONSE % status)
        self._close()

    def _close(self) -> None:
        self._clear_deadline()
        self.connections.discard(self)
        self.transport.close()

    def _is_answered(self) -> bool:
        cycle: Any = self.cycle  # None before the first request
        return cycle is None or cycle.response_complete


def raise_file_limit() -> int:
    """Raise the limit on open files to its maximum, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MANY_FILES if hard == resource.RLIM_INFINITY else hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    except (OSError, ValueError):  # the system has a lower limit still
        return soft
    return limit


def connections_within(max_connections: int, max_files: int) -> int:
    """Return how many connections a process can serve without running out of files."""
    return max(1, min(max_connections, (max_files - RESERVED_FILES) // FILES_A_CONNECTION))
