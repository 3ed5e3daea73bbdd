"""Download responses and links: ranges, entity tags, and the start of an ephemeral image's expiry."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import structlog
from litestar import Request, Response
from litestar.response import Redirect, Stream
from litestar.status_codes import HTTP_206_PARTIAL_CONTENT, HTTP_302_FOUND, HTTP_304_NOT_MODIFIED

from apps.http.byte_ranges import Span, has_version, requested_span
from apps.http.content_disposition import UNTRUSTED, Disposition, content_disposition
from libs.auth.links import sign_link
from libs.backends import Backends
from libs.contracts.views.links import LinkView
from libs.settings import Settings
from libs.storage import image_expiry, images
from libs.storage.database.errors import DatabaseFull, DatabaseUnavailable
from libs.storage.database.tables import Image, now
from libs.storage.objects import StorageError, StoreUnavailable
from libs.storage.objects.port import CHUNK_BYTES

REDIRECT_S = 300  # in which a client must follow a redirect to the object store
Note: TypeAlias = Callable[[], Awaitable[None]]
Entries: TypeAlias = AsyncGenerator[tuple[str, str]]  # names and object keys


log = structlog.get_logger(__name__)


async def stream(
    image: Image, request: Request[Any, Any, Any], backends: Backends, *, disposition: Disposition
) -> Response[Any]:
    """Stream an image or the requested range of it.

    An ephemeral image's expiry starts when its last byte is handed out for the first time, not by a preview
    of the first bytes.

    Raises:
        ObjectNotFound: The object is missing.
        BadRange: The range lies outside the file.
    """
    try:
        return await _streamed(image, request, backends, disposition)
    except StorageError:
        current = await images.newer_version(image)
        if current is None:
            raise
        return await _streamed(current, request, backends, disposition)


def attachment(content: AsyncIterator[bytes], name: str, kind: str, *, encoding: str = "utf-8") -> Stream:
    """Stream a file that is made for this answer."""
    headers = {
        "Content-Disposition": content_disposition(name, "attachment"),
        "Cache-Control": "no-store",
        **UNTRUSTED,
    }
    return Stream(content, headers=headers, media_type=kind, encoding=encoding)


async def download(image: Image, request: Request[Any, Any, Any], backends: Backends) -> Response[Any]:
    """Answer with an image as an attachment: redirect to the object store if clients reach it, else stream.

    A HEAD, and a GET of a version that the client has, are answered here.

    Raises:
        ObjectNotFound, BadRange: As `stream`.
    """
    answered_here = request.method == "HEAD" or _unchanged(request, f'"{image.md5}"')
    if answered_here or not backends.objects.serves_clients:
        return await stream(image, request, backends, disposition="attachment")
    return await redirect_or_stream(image, request, backends, expires_s=REDIRECT_S, disposition="attachment")


async def redirect_or_stream(
    image: Image,
    request: Request[Any, Any, Any],
    backends: Backends,
    *,
    expires_s: int,
    disposition: Disposition = "inline",
) -> Response[Any]:
    """Redirect to the object store if it has a server; else stream the image."""
    url = await backends.objects.link(
        image.object_key,
        expires_s=max(1, expires_s),
        content_type=image.mime,
        disposition=content_disposition(image.filename, disposition),
    )
    if url is None:
        return await stream(image, request, backends, disposition=disposition)
    if request.method != "HEAD":
        await image_expiry.note_download(image, downloaded_s=backends.settings.expire_downloaded_s)
    return Redirect(url, status_code=HTTP_302_FOUND, headers={"Cache-Control": "no-store"})


async def _streamed(
    image: Image, request: Request[Any, Any, Any], backends: Backends, disposition: Disposition
) -> Response[Any]:
    headers = _headers(image, disposition)
    if _unchanged(request, headers["ETag"]):
        return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=headers)
    span = _span(request, image, headers["ETag"])
    headers["Content-Length"] = str(span.length if span else image.size_bytes)
    if span:
        headers["Content-Range"] = span.content_range(image.size_bytes)
    status = HTTP_206_PARTIAL_CONTENT if span else 200
    if request.method == "HEAD":
        return Response(b"", status_code=status, headers=headers, media_type=image.mime)
    start, length = (span.start, span.length) if span else (0, image.size_bytes)
    stack = AsyncExitStack()
    chunks = await stack.enter_async_context(
        backends.objects.read(image.object_key, start=start, length=length)
    )
    note = _noting(image, backends) if start + length == image.size_bytes else None
    if length > CHUNK_BYTES:
        content = _closing(chunks, stack, length, note)
        return Stream(content, status_code=status, headers=headers, media_type=image.mime)
    async with stack:
        body = await _whole(chunks, length)
        if note is not None:
            await note()
    return Response(body, status_code=status, headers=headers, media_type=image.mime)


def _noting(image: Image, backends: Backends) -> Note:
    async def note() -> None:
        await image_expiry.note_download(image, downloaded_s=backends.settings.expire_downloaded_s)

    return note


async def _whole(chunks: AsyncIterator[bytes], length: int) -> bytes:
    """Return a file of one chunk: a response with its body takes half the time of a stream.

    Raises:
        StoreUnavailable: The object is shorter than its row says.
    """
    body = b"".join([chunk async for chunk in chunks])
    if len(body) != length:
        raise StoreUnavailable(f"the object has {len(body)} of {length} bytes")
    return body


async def _closing(
    chunks: AsyncIterator[bytes], stack: AsyncExitStack, length: int, note: Note | None
) -> AsyncIterator[bytes]:
    """Yield the chunks, and call `note` before the last one: then the client has received all others."""
    async with stack:
        left = length
        async for chunk in chunks:
            left -= len(chunk)
            if left <= 0 and note is not None:
                await _noted(note)
            yield chunk


async def _noted(note: Note) -> None:
    """Call `note`; a database that cannot be reached does not break a download that has begun."""
    try:
        await note()
    except (DatabaseUnavailable, DatabaseFull) as error:
        log.warning("download_not_noted", error=str(error))


def _headers(image: Image, disposition: Disposition) -> dict[str, str]:
    return {
        "ETag": f'"{image.md5}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": content_disposition(image.filename, disposition),
        **UNTRUSTED,
    }


def _unchanged(request: Request[Any, Any, Any], etag: str) -> bool:
    return has_version(request.headers.get("if-none-match", ""), etag)


def _span(request: Request[Any, Any, Any], image: Image, etag: str) -> Span | None:
    headers = request.headers
    return requested_span(headers.get("range", ""), headers.get("if-range"), size=image.size_bytes, etag=etag)


def link_to(image: Image, settings: Settings, base_url: str, *, expires_in: int | None) -> LinkView:
    """Sign a link that expires after `expires_in` seconds, or with the image if that is earlier."""
    return link_of(image.id, image.expires_at, settings, base_url, expires_in=expires_in)


def link_of(
    image_id: UUID,
    image_expires_at: datetime | None,
    settings: Settings,
    base_url: str,
    *,
    expires_in: int | None,
) -> LinkView:
    """Sign a link as `link_to` does, given an image's id and expiry."""
    moment = now()
    seconds = float(expires_in or settings.link_s)
    if image_expires_at is not None:
        seconds = max(1.0, min(seconds, (image_expires_at - moment).total_seconds()))
    token = sign_link(settings.secret_key, image_id, ttl_s=seconds)
    return LinkView(
        url=f"{base_url}/d/{token}", expires_at=moment + timedelta(seconds=seconds), expires_in=int(seconds)
    )
