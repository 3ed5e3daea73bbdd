"""The header Content-Disposition (RFC 6266)."""

from typing import Literal, TypeAlias
from urllib.parse import quote

Disposition: TypeAlias = Literal["inline", "attachment"]


def content_disposition(filename: str, disposition: Disposition) -> str:
    """Build the header with an ASCII name for old clients and the exact name for others."""
    ascii_name = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in filename)
    return f"{disposition}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(filename, safe='')}"
