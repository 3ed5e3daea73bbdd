"""A minimum speed for request bodies."""

import asyncio
from typing import TypeAlias

from litestar import Request
from litestar.types import (
    ASGIApp,
    HTTPReceiveMessage,
    HTTPScope,
    Message,
    Receive,
    Scope,
    Send,
    WebSocketReceiveMessage,
)

from apps.http.problem_json import problem

ReceivedMessage: TypeAlias = HTTPReceiveMessage | WebSocketReceiveMessage


def with_body_deadline(app: ASGIApp, *, min_bytes_per_s: int, grace_s: float) -> ASGIApp:
    """Wrap `app` to answer 408 to a body that arrives more slowly than `min_bytes_per_s`.

    A body may pause, or be slower, for `grace_s` in all; what arrives faster makes up for that.
    """

    async def timed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await app(scope, receive, send)
            return
        body = _TimedBody(scope, receive, send, min_bytes_per_s, grace_s)
        await app(scope, body.receive, body.send)

    return timed


def _has_body(scope: HTTPScope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


class _TimedBody:
    """The messages of one request.

    Only the time in which the application waits for the client counts. When the client is late, the
    application sees that it has disconnected, and so removes what it has received.
    """

    def __init__(
        self, scope: HTTPScope, receive: Receive, send: Send, min_bytes_per_s: int, grace_s: float
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._min_bytes_per_s = min_bytes_per_s
        self._grace_s = self._patience_s = grace_s
        self._complete = self._late = self._answered = False

    async def receive(self) -> ReceivedMessage:
        if self._complete:
            return await self._receive()
        loop = asyncio.get_running_loop()
        began = loop.time()
        if not self._late:
            try:
                async with asyncio.timeout(self._patience_s):
                    message = await self._receive()
            except TimeoutError:
                await self._refuse()
            else:
                self._count(message, waited_s=loop.time() - began)
                return message
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self._answered = True
        if not self._late:
            await self._send(message)

    def _count(self, message: ReceivedMessage, *, waited_s: float) -> None:
        if message["type"] == "http.request":
            earned_s = len(message["body"]) / self._min_bytes_per_s
            self._patience_s = min(self._grace_s, self._patience_s - waited_s + earned_s)
            self._complete = not message["more_body"]

    async def _refuse(self) -> None:
        self._late = True
        if self._answered:
            return
        detail = f"the body arrives more slowly than {self._min_bytes_per_s} bytes a second"
        answer = problem(408, "request_timeout", detail, headers={"Connection": "close"})
        respond = answer.to_asgi_response(app=None, request=Request(self._scope))
        await respond(self._scope, self._receive, self._send)
