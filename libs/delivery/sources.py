"""Which remote images may be delivered: URLs below prefixes that the operator lists."""

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit


def is_below(url: str, prefixes: Sequence[str]) -> bool:
    """Return whether a URL has the scheme, host and port of a prefix, and a path below it.

    `http://example.com` covers no `http://example.com@evil` and no `http://example.com.evil`; a prefix
    `https://example.com/a` covers `/a` and `/a/b`, and not `/ab`.
    """
    try:
        parts = urlsplit(url)
        origin = (parts.scheme.lower(), parts.hostname, parts.port)
    except ValueError:
        return False
    if parts.username is not None or parts.password is not None or "\\" in url:
        return False
    if ".." in unquote(parts.path).split("/"):
        return False
    return any(_origin(prefix) == origin and _covers(prefix, parts.path) for prefix in prefixes)


def _origin(prefix: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(prefix)
    return parts.scheme.lower(), parts.hostname, parts.port


def _covers(prefix: str, path: str) -> bool:
    base = urlsplit(prefix).path.rstrip("/")
    return path == base or path.startswith(f"{base}/")
