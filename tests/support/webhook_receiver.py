"""A receiver of webhooks: it keeps every request, and responds as a test plans."""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from msgspec import Struct
from standardwebhooks import Webhook

from tests.support.photo_server import ALLOWED, INSIDE, INSIDE_V6, OUTSIDE, trap
from tests.support.ports import bound
from tests.support.site import Kind, Site, running_site
from tests.support.waiting import WAIT_S

TIMEOUT_S = "6"  # for one test to wait for, and long enough for a busy machine to answer all others
HOLD = "hold"  # do not answer before `released` is set
CLOSE = "close"  # answer nothing, ever


class PlannedResponse(Struct, frozen=True):
    """What to answer with."""

    status: int
    headers: Mapping[str, str] = {}


class Request(Struct, frozen=True):
    """What came."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float  # monotonic

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> dict[str, Any]:
        """The body, if the signature is of this secret."""
        return Webhook(secret).verify(self.body, dict(self.headers))

    @property
    def content(self) -> dict[str, Any]:
        return json.loads(self.body)


class Receiver:
    """One server; each path answers 200 unless `plans` say otherwise, one entry a request."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[Request] = []
        self.plans: defaultdict[str, list[PlannedResponse | str]] = defaultdict(list)
        self.always: dict[str, PlannedResponse | str] = {}
        self.files: dict[str, bytes] = {}  # to be fetched from here
        self.released = asyncio.Event()
        self._came = asyncio.Condition()

    def url(self, path: str) -> str:
        return f"http://{OUTSIDE}:{self.port}{path}"

    def at(self, path: str) -> list[Request]:
        return [one for one in self.requests if one.path == path]

    async def received(self, path: str, count: int = 1) -> list[Request]:
        """What came to a path, once there are so many."""
        return await self.until(lambda: self.at(path) if len(self.at(path)) >= count else [])

    async def until(self, found: Callable[[], list[Request]]) -> list[Request]:
        async with asyncio.timeout(WAIT_S), self._came:
            await self._came.wait_for(lambda: bool(found()))
        return found()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path in self.files:
            return web.Response(body=self.files[request.path], content_type="image/jpeg")
        if request.method == "GET":
            raise web.HTTPNotFound
        body = await request.read()
        assert request.content_type == "application/json"
        assert len(body) < 20_000
        async with self._came:
            self.requests.append(Request(request.path, dict(request.headers), body, time.monotonic()))
            self._came.notify_all()
        plan = self.plans[request.path]
        wanted = plan.pop(0) if plan else self.always.get(request.path, PlannedResponse(200))
        if wanted == HOLD:
            await self.released.wait()
            wanted = PlannedResponse(204)
        if not isinstance(wanted, PlannedResponse):
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return web.Response(status=wanted.status, headers=wanted.headers)


@asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    """Start a receiver on the public address; nothing may connect to its port on this machine's own."""
    public, *own = bound(OUTSIDE, INSIDE, INSIDE_V6)
    receiver = Receiver(public.getsockname()[1])
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.SockSite(runner, public).start()
        async with trap(own) as inside:
            yield receiver
        assert inside.connections == 0, f"something connected to {INSIDE}"
    finally:
        receiver.released.set()
        await runner.cleanup()


def webhook_settings(receiver: Receiver) -> dict[str, str]:
    """Return the settings of a site that may send to the receiver, and tries again soon."""
    return {
        "FETCH_PORTS": str(receiver.port),
        "FETCH_ALLOW_NETWORKS": ALLOWED,
        "WEBHOOK_SCHEDULE_S": "0,0.2,1.2,0.2",
        "WEBHOOK_TIMEOUT_S": TIMEOUT_S,
    }


@asynccontextmanager
async def open_webhook_site(
    kind: Kind, directory: Path, **settings: str
) -> AsyncGenerator[tuple[Site, Receiver]]:
    async with (
        receiving() as receiver,
        running_site(kind, directory, **(webhook_settings(receiver) | settings)) as site,
    ):
        yield site, receiver
