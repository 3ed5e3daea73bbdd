"""The files of the console, kept in memory with their compressed forms."""

import gzip
import mimetypes
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from litestar import Request, Response
from litestar.exceptions import NotFoundException
from litestar.status_codes import HTTP_304_NOT_MODIFIED
from msgspec import Struct

FOLDER = Path(__file__).parent / "static"
ADDRESS = "/console/static"
FOR_GOOD = "public, max-age=31536000, immutable"
ALWAYS_ASK = "no-cache"
NOSNIFF = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
MEDIA_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
COMPRESSED = frozenset({".js", ".css", ".html", ".svg", ".json"})


class StaticFile(Struct, frozen=True):
    """One file, as it is sent."""

    content: bytes
    compressed: bytes | None
    media_type: str
    etag: str

    def response(self, request: Request[Any, Any, Any], headers: Mapping[str, str]) -> Response[bytes]:
        """Answer with the file, compressed for a client that takes that; 304 for one that has it."""
        sent = {**NOSNIFF, **headers, "ETag": self.etag, "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == self.etag:
            return Response(b"", status_code=HTTP_304_NOT_MODIFIED, headers=sent)
        if self.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            sent["Content-Encoding"] = "gzip"
            return Response(self.compressed, media_type=self.media_type, headers=sent)
        return Response(self.content, media_type=self.media_type, headers=sent)


class StaticFiles:
    """All files below `static`; their address has a digest of them all, so caches keep them for good.

    Modules import one another by relative paths, which lead to the same digest.
    """

    def __init__(self) -> None:
        contents = {
            path.relative_to(FOLDER).as_posix(): path.read_bytes()
            for path in sorted(FOLDER.rglob("*"))
            if path.is_file()
        }
        digest = sha256()
        for name, content in contents.items():
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        self.base = f"{ADDRESS}/{digest.hexdigest()[:16]}"
        self._files = {name: static_file(name, content) for name, content in contents.items()}

    def page(self, name: str, **values: str) -> str:
        """Return a page, with the address of the files and `values`, which are text, in it."""
        text = self._files[name].content.decode().replace("{static}", self.base)
        for field, value in values.items():
            text = text.replace(f"{{{field}}}", escape(value))
        return text

    def response(self, digest: str, name: str, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Answer with a file.

        Raises:
            NotFoundException: There is no such file, or the digest is that of another release.
        """
        found = self._files.get(name)
        if found is None or digest != self.base.removeprefix(f"{ADDRESS}/"):
            raise NotFoundException("there is no such file in this release of the console")
        return found.response(request, {"Cache-Control": FOR_GOOD})


def static_file(name: str, content: bytes) -> StaticFile:
    """Prepare a file."""
    suffix = Path(name).suffix
    return StaticFile(
        content=content,
        compressed=gzip.compress(content, 9, mtime=0) if suffix in COMPRESSED else None,
        media_type=MEDIA_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream",
        etag=f'"{sha256(content).hexdigest()[:32]}"',
    )
