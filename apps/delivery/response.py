"""Answers with an image by URL: their headers, conditions and ranges."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import PurePath
from time import time

from msgspec import Struct

from apps.delivery.request import DeliveryRequest
from apps.http.byte_ranges import Span, has_version, requested_span
from apps.http.content_disposition import UNTRUSTED, content_disposition
from libs.delivery.renditions import Found
from libs.delivery.wanted import Wanted
from libs.storage.database.tables import Image

IMMUTABLE_S = 31_536_000
FRESH_S, STALE_S = 3600, 86_400
ERROR_S = 10
Headers = list[tuple[bytes, bytes]]

SHARED: dict[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Timing-Allow-Origin": "*",
    **UNTRUSTED,
}
"""Headers of every answer: any page may show and read these images, and nothing runs in them."""


class Answer(Struct, kw_only=True):
    """An answer to any request for one rendition: its file in memory, or the key of its object."""

    headers: Headers  # of a 200, without Content-Length
    etag: str
    modified_at: datetime
    size_bytes: int
    body: bytes | None
    object_key: str | None
    filename: str


def answer_to(wanted: Wanted, found: Found, *, fallback: bool = False) -> Answer:
    """Build the answer with a rendition; `fallback` says that it is sent instead of an error."""
    etag, filename = f'"{found.md5}"', _filename(wanted, found.extension)
    headers = {
        "Content-Type": found.mime,
        "ETag": etag,
        "Last-Modified": format_datetime(wanted.modified_at, usegmt=True),
        "Accept-Ranges": "bytes",
        "Cache-Control": f"public, max-age={ERROR_S}" if fallback else cache_control(wanted),
        "Content-Disposition": content_disposition(filename, "inline"),
        **SHARED,
    }
    if isinstance(wanted.source, Image):
        headers["Cache-Tag"] = f"img-{wanted.source.id}"
    if wanted.negotiated:
        headers["Vary"] = "Accept"
    return Answer(
        headers=encoded(headers),
        etag=etag,
        modified_at=wanted.modified_at,
        size_bytes=found.size_bytes,
        body=found.body,
        object_key=found.object_key,
        filename=filename,
    )


def cache_control(wanted: Wanted) -> str:
    """Return how long caches may keep an answer: a year with the version, never beyond the expiry."""
    left_s = seconds_left(wanted)
    if wanted.current:
        return f"public, max-age={min(left_s, IMMUTABLE_S)}, immutable"
    if left_s < FRESH_S + STALE_S:
        return f"public, max-age={min(left_s, FRESH_S)}"
    return f"public, max-age={FRESH_S}, stale-while-revalidate={STALE_S}"


def seconds_left(wanted: Wanted) -> int:
    """Return for how long the address opens, at most a year."""
    return IMMUTABLE_S if wanted.expires_at is None else max(0, int(wanted.expires_at - time()))


def is_unchanged(request: DeliveryRequest, answer: Answer) -> bool:
    """Return whether the client has this version, so that 304 is the answer (RFC 9110, section 13)."""
    if request.if_none_match:
        return has_version(request.if_none_match, answer.etag)
    if not request.if_modified_since:
        return False
    try:
        since = parsedate_to_datetime(request.if_modified_since)
    except ValueError:
        return False
    return answer.modified_at <= (since if since.tzinfo else since.replace(tzinfo=UTC))


def span_of(request: DeliveryRequest, answer: Answer) -> Span | None:
    """Return the requested range, or None for the whole file.

    Raises:
        BadRange: It lies outside the file.
    """
    if not request.range:
        return None
    return requested_span(request.range, request.if_range, size=answer.size_bytes, etag=answer.etag)


def encoded(headers: Mapping[str, str]) -> Headers:
    """Return headers as ASGI takes them."""
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]


def _filename(wanted: Wanted, extension: str) -> str:
    name = wanted.source.filename if isinstance(wanted.source, Image) else wanted.source.partition("?")[0]
    return f"{PurePath(name).stem or 'image'}.{extension}"
