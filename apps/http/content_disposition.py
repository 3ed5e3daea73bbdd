"""The headers of every file that is sent: how browsers treat it, and its name (RFC 6266)."""

from typing import Literal, TypeAlias
from urllib.parse import quote

Disposition: TypeAlias = Literal["inline", "attachment"]

UNTRUSTED = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
"""Headers of a file whose bytes come from a user: a browser runs nothing in it, and gives it no origin."""


def content_disposition(filename: str, disposition: Disposition) -> str:
    """Build the header with an ASCII name for old clients and the exact name for others."""
    ascii_name = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in filename)
    return f"{disposition}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(filename, safe='')}"
