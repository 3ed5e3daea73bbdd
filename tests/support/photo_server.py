"""A web server of images that can misbehave in every way a foreign server may."""

import asyncio
import gzip
import socket
import time
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from io import BytesIO

from aiohttp import web
from PIL import Image
from yarl import URL

from tests.support.ports import bound

OUTSIDE = "127.0.0.2"  # stands for the public internet: the one address that tests open
INSIDE = "127.0.0.1"  # stands for itself
INSIDE_V6 = "::1"
ALLOWED = f"{OUTSIDE}/32"
UNENDING = ("/drip", "/endless")
ENDLESS_BLOCK = bytes(64 * 1024)


class PhotoServer:
    """One server; what it serves can be changed while it runs."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.failing: Counter[str] = Counter()  # how many more times a path answers 500
        self.request_counts: Counter[str] = Counter()
        self.busy: Counter[str] = Counter()  # how many more times a path answers 429
        self.retry_after = "1"  # what it says then
        self.request_times: list[tuple[str, float]] = []
        self.slow_s = 0.0  # before every answer
        self.held: set[str] = set()  # paths that are answered once `gate` is open
        self.gate = asyncio.Event()
        self.at_once = 0
        self.most_at_once = 0
        self.headers: dict[str, str] = {}  # of the last request
        self.cut_off = asyncio.Event()  # a body that has no end was given up

    def url(self, path: str) -> str:
        return f"http://{self.host}:{self.port}{path}"

    def serve(self, path: str, data: bytes) -> str:
        """The address of `data` from now on."""
        self.files[path] = data
        return self.url(path)

    def redirect(self, path: str, target: str) -> str:
        self.redirects[path] = target
        return self.url(path)

    @contextmanager
    def holding(self, *urls: str) -> Generator[asyncio.Event]:
        """Answer none of these until the event is set, or at the end."""
        self.held, self.gate = {URL(url).path for url in urls}, asyncio.Event()
        try:
            yield self.gate
        finally:
            self.gate.set()
            self.held = set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith(UNENDING):  # it may outlive the test that made the request
            return await self._in_time(request)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.slow_s:
                await asyncio.sleep(self.slow_s)
            return await self._in_time(request)
        finally:
            self.at_once -= 1

    async def _in_time(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        self.request_counts[path] += 1
        self.request_times.append((path, time.monotonic()))
        if path in self.held:
            await self.gate.wait()
        if self.busy[path] > 0:
            self.busy[path] -= 1
            return web.Response(status=429, headers={"Retry-After": self.retry_after})
        return await self._answer(request)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        self.headers = dict(request.headers)
        if self.failing[path] > 0:
            self.failing[path] -= 1
            return web.Response(status=500)
        if path in self.redirects:
            return web.Response(status=302, headers={"Location": self.redirects[path]})
        match path.split("/")[1]:
            case "drip":
                return await self._without_end(request, b"\xff", 0.05)
            case "endless":
                return await self._without_end(request, ENDLESS_BLOCK, 0)
            case "bomb":
                return _bomb()
            case "cut":
                return await self._cut(request)
            case "status":
                return web.Response(status=int(path.split("/")[2]))
            case _:
                pass
        if path not in self.files:
            return web.Response(status=404)
        return self._file(request, self.files[path])

    def _file(self, request: web.Request, data: bytes) -> web.Response:
        etag = f'"{hash(data):x}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        kind = "text/html" if "mislabelled" in request.path else "image/jpeg"
        return web.Response(body=data, content_type=kind, headers={"ETag": etag, "Set-Cookie": "a=b"})

    async def _without_end(self, request: web.Request, block: bytes, pause_s: float) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await response.prepare(request)
        try:
            while True:
                await response.write(block)
                await asyncio.sleep(pause_s)
        except (ConnectionError, asyncio.CancelledError):
            self.cut_off.set()
            raise

    async def _cut(self, request: web.Request) -> web.StreamResponse:
        """A body shorter than its Content-Length."""
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg", "Content-Length": "100000"})
        await response.prepare(request)
        await response.write(b"\xff\xd8\xff")
        assert request.transport is not None
        request.transport.close()
        return response


def _bomb() -> web.Response:
    """50 MB of zeros in 50 kB."""
    headers = {"Content-Encoding": "gzip", "Content-Type": "image/png"}
    return web.Response(body=gzip.compress(bytes(50_000_000)), headers=headers)


@asynccontextmanager
async def serving(*hosts: str) -> AsyncGenerator[list[PhotoServer]]:
    """A server at each of the hosts, on one port."""
    async with AsyncExitStack() as stack:
        servers: list[PhotoServer] = []
        for host, listener in zip(hosts, bound(*hosts), strict=True):
            server = PhotoServer(host, listener.getsockname()[1])
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", server.answer)
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.SockSite(runner, listener).start()
            servers.append(server)
        yield servers


class Trap:
    """A listener to which nothing may connect: it counts the connections."""

    def __init__(self, port: int) -> None:
        self.connections = 0
        self.port = port

    async def accept(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.close()


@asynccontextmanager
async def trap(listeners: Sequence[socket.socket] | None = None) -> AsyncGenerator[Trap]:
    """Listen on this machine's own addresses, of both families, at one port."""
    listeners = listeners or bound(INSIDE, INSIDE_V6)
    found = Trap(listeners[0].getsockname()[1])
    async with AsyncExitStack() as stack:
        for listener in listeners:
            await stack.enter_async_context(await asyncio.start_server(found.accept, sock=listener))
        yield found


def picture(colour: str = "red", *, size: tuple[int, int] = (48, 32)) -> bytes:
    """A small JPEG that no other colour or size equals."""
    file = BytesIO()
    gradient = Image.linear_gradient("L").resize(size).convert("RGB")
    Image.blend(gradient, Image.new("RGB", size, colour), 0.5).save(file, "JPEG")
    return file.getvalue()
