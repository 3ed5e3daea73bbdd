"""The request for an image by URL, read from the ASGI scope: the path is needed as it was sent."""

from typing import Any, cast
from urllib.parse import parse_qsl

from litestar.types import Scope
from msgspec import Struct

from libs.delivery.errors import AddressInvalid
from libs.delivery.output import accepted_formats
from libs.imaging.formats import WrittenName

MISTAKES = {
    "width": "w",
    "h": "a step such as h_300",
    "height": "a step such as h_300",
    "q": "a step such as q_80",
    "quality": "a step such as q_80",
    "f": "an extension such as .webp",
    "format": "an extension such as .webp",
    "fm": "an extension such as .webp",
    "auto": "no extension, which lets `Accept` decide",
    "dpr": "a larger w",
}
"""Query parameters of other services that people try here, and what to write instead."""


class DeliveryRequest(Struct, frozen=True, kw_only=True):
    """What a request for an image by URL says."""

    method: str
    path: str  # as sent, percent-encoded
    width: str | None
    fallback: bool
    accepted: frozenset[WrittenName]
    if_none_match: str
    if_modified_since: str
    range: str
    if_range: str | None

    @property
    def head(self) -> bool:
        """Whether only the head of the answer is wanted."""
        return self.method == "HEAD"

    def width_px(self) -> int | None:
        """Return the requested width.

        Raises:
            AddressInvalid: It is no number.
        """
        if self.width is None:
            return None
        if not (self.width.isascii() and self.width.isdigit() and len(self.width) <= 5):
            raise AddressInvalid("w is a number of pixels")
        return int(self.width)


def method_of(scope: Scope) -> str:
    """Return the request's method."""
    return str(cast("dict[str, object]", scope)["method"])


def read_request(scope: Scope) -> DeliveryRequest:
    """Read a request.

    Raises:
        AddressInvalid: It has a query parameter that other services have and this one has not.
    """
    headers: dict[bytes, bytes] = dict(scope["headers"])
    query = _query(scope)
    raw: Any = scope.get("raw_path") or scope["path"].encode()
    return DeliveryRequest(
        method=method_of(scope),
        path=raw.partition(b"?")[0].decode("latin-1"),
        width=query.get("w"),
        fallback="fallback" in query,
        accepted=accepted_formats(headers.get(b"accept", b"").decode("latin-1")),
        if_none_match=headers.get(b"if-none-match", b"").decode("latin-1"),
        if_modified_since=headers.get(b"if-modified-since", b"").decode("latin-1"),
        range=headers.get(b"range", b"").decode("latin-1"),
        if_range=headers[b"if-range"].decode("latin-1") if b"if-range" in headers else None,
    )


def _query(scope: Scope) -> dict[str, str]:
    text = scope["query_string"]
    if not text:
        return {}
    query = dict(parse_qsl(text.decode("latin-1"), keep_blank_values=True))
    for name in query:
        if name in MISTAKES:
            raise AddressInvalid(f"there is no query parameter {name!r}: use {MISTAKES[name]}")
    return query
