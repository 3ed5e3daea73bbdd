"""Serve images by URL: an ASGI application for the addresses below `/t/`."""

from collections.abc import Hashable
from time import perf_counter

from litestar.types import Receive, Scope, Send

from apps.delivery.answer_memory import MAX_BODY, AnswerMemory
from apps.delivery.error_answers import MethodNotAllowed, error_answer
from apps.delivery.request import DeliveryRequest, method_of, read_request
from apps.delivery.response import (
    SHARED,
    Answer,
    Headers,
    answer_to,
    encoded,
    is_unchanged,
    seconds_left,
    span_of,
)
from apps.http.content_disposition import content_disposition
from libs.backends import Backends
from libs.delivery.address import Address, parse_address
from libs.delivery.key_ring import KeyRing
from libs.delivery.renditions import Found, Renditions
from libs.delivery.resolver import Choice, Resolver
from libs.delivery.wanted import Wanted
from libs.imaging.errors import ImagingError
from libs.outbound import FetchError
from libs.runtime import metrics
from libs.runtime.process_pool import RenderError
from libs.storage.image_errors import ImageNotFound
from libs.storage.objects import ObjectNotFound, StoreUnavailable

REDIRECT_S = 300  # for which a redirect to the object store may be cached; its address lives twice as long
PREFLIGHT = encoded(
    {"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Max-Age": "86400", **SHARED}
)
HIT, HIT_IN_MEMORY = b"darkroom; hit", b"darkroom; hit; detail=memory"
MISS, MISS_STORED = b"darkroom; fwd=miss", b"darkroom; fwd=miss; stored"


class Deliver:
    """The application. `close` it at the end."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._resolver = Resolver(backends.settings, KeyRing(backends.settings.delivery_keys))
        self._renditions = Renditions(backends)
        self._memory = AnswerMemory()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method = method_of(scope)
        if method == "OPTIONS":
            await _send(send, 204, PREFLIGHT, b"")
            return
        try:
            if method not in ("GET", "HEAD"):
                raise MethodNotAllowed
            request = read_request(scope)
            key = (request.path, request.width, request.accepted)
            if not await self._send_fresh(request, key, send):
                await self._deliver(request, key, send)
        except Exception as error:  # noqa: BLE001 - answered, and logged if it is unexpected
            metrics.RENDITIONS.add("error")
            status, headers, body = error_answer(error, self._backends.settings.public_url)
            await _send(send, status, headers, b"" if method == "HEAD" else body)

    async def start(self) -> None:
        """Start the render processes, so that the first request does not wait for them."""
        await self._renditions.start()

    async def close(self) -> None:
        """Store what is rendered, and end the render processes."""
        await self._renditions.close()

    async def _send_fresh(self, request: DeliveryRequest, key: Hashable, send: Send) -> bool:
        """Send what was sent a moment ago; return whether there was such an answer, and its file is there."""
        answer = self._memory.fresh(key)
        if answer is None:
            return False
        try:
            note = HIT if answer.body is None else HIT_IN_MEMORY
            await self._send_answer(request, answer, [(b"cache-status", note)], send)
        except ObjectNotFound:
            return False
        metrics.RENDITIONS.add("memory")
        return True

    async def _deliver(self, request: DeliveryRequest, key: Hashable, send: Send) -> None:
        address = parse_address(request.path)
        choice = Choice(width=request.width_px(), accepted=request.accepted)
        try:
            wanted = await self._resolver.resolve(address, choice)
            try:
                await self._deliver_wanted(request, key, wanted, send)
            except ObjectNotFound:  # somebody else has deleted the object of the rendition
                await self._renditions.forget(wanted)
                await self._deliver_wanted(request, key, wanted, send)
        except Exception as error:
            instead = await self._fallback(request, address, choice, error)
            if instead is None:
                raise
            await self._deliver_wanted(request, key, instead, send, fallback=True)

    async def _fallback(
        self, request: DeliveryRequest, address: Address, choice: Choice, error: Exception
    ) -> Wanted | None:
        """Return what to send instead of an error of the source, if request and preset want that."""
        of_source = isinstance(
            error, ImageNotFound | ObjectNotFound | ImagingError | RenderError | FetchError
        )
        return await self._resolver.fallback(address, choice) if request.fallback and of_source else None

    async def _deliver_wanted(
        self, request: DeliveryRequest, key: Hashable, wanted: Wanted, send: Send, *, fallback: bool = False
    ) -> None:
        """Answer with a rendition; one that is sent as a fallback is kept nowhere for long.

        Raises:
            ObjectNotFound: Nothing is sent: the object of the rendition is gone, or that of its image.
        """
        started = perf_counter()
        found = await self._renditions.get(wanted)
        metrics.RENDITIONS.add("fallback" if fallback else "hit" if found.hit else "rendered")
        answer = answer_to(wanted, found, fallback=fallback)
        if self._redirects(found) and not fallback:
            await self._send_redirect(wanted, found, answer, send)
            return
        answer.body = answer.body or self._memory.body(answer.etag) or await self._small_body(answer)
        if found.stored and not fallback:
            self._memory.put(key, answer)
        total_ms = (perf_counter() - started) * 1000
        notes = [
            (b"cache-status", HIT if found.hit else MISS_STORED if found.stored else MISS),
            (b"server-timing", f"render;dur={found.render_ms:.1f}, total;dur={total_ms:.1f}".encode()),
        ]
        await self._send_answer(request, answer, notes, send)

    async def _small_body(self, answer: Answer) -> bytes | None:
        """Return the bytes of a small object; None for a large one, which is streamed."""
        if answer.size_bytes > MAX_BODY or answer.object_key is None:
            return None
        async with self._backends.objects.read(answer.object_key) as chunks:
            body = b"".join([chunk async for chunk in chunks])
        if len(body) != answer.size_bytes:
            raise StoreUnavailable(f"the object has {len(body)} of {answer.size_bytes} bytes")
        return body

    async def _send_answer(
        self, request: DeliveryRequest, answer: Answer, notes: Headers, send: Send
    ) -> None:
        headers = [*answer.headers, *notes]
        if is_unchanged(request, answer):
            await _send(send, 304, headers, b"")
            return
        span = span_of(request, answer)
        start, length = (span.start, span.length) if span else (0, answer.size_bytes)
        headers.append((b"content-length", str(length).encode()))
        if span:
            headers.append((b"content-range", span.content_range(answer.size_bytes).encode()))
        status = 206 if span else 200
        if request.head:
            await _send(send, status, headers, b"")
        elif (body := answer.body or await self._small_body(answer)) is not None:
            await _send(send, status, headers, body[start : start + length])
        elif answer.object_key is not None:
            await self._stream(status, headers, answer.object_key, start, length, send)

    async def _stream(
        self, status: int, headers: Headers, object_key: str, start: int, length: int, send: Send
    ) -> None:
        async with self._backends.objects.read(object_key, start=start, length=length) as chunks:
            await send({"type": "http.response.start", "status": status, "headers": headers})
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _redirects(self, found: Found) -> bool:
        settings = self._backends.settings
        return settings.delivery_redirect and self._backends.objects.serves_clients and found.hit

    async def _send_redirect(self, wanted: Wanted, found: Found, answer: Answer, send: Send) -> None:
        url = await self._backends.objects.link(
            found.object_key or "",
            expires_s=2 * REDIRECT_S,
            content_type=found.mime,
            disposition=content_disposition(answer.filename, "inline"),
        )
        kept = (b"cache-control", b"content-type", b"etag", b"last-modified", b"accept-ranges")
        headers = [(name, value) for name, value in answer.headers if name not in kept]
        headers += encoded(
            {
                "Location": url or "",
                "Cache-Control": f"public, max-age={min(REDIRECT_S, seconds_left(wanted))}",
            }
        )
        await _send(send, 302, [*headers, (b"cache-status", HIT)], b"")


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
