"""JSON bodies that may be as long as an upload: an image may stand in them as a `data:` URL."""

import asyncio
import hashlib
from typing import Any, TypeVar

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException, ValidationException

from apps.api.uploads.multipart_form import FORM_OVERHEAD, BadUpload, UploadTooLarge

T = TypeVar("T")


def is_json(request: Request[Any, Any, Any]) -> bool:
    """Whether the body says that it is JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def is_form(request: Request[Any, Any, Any]) -> bool:
    """Whether the body says that it is a multipart form."""
    return request.headers.get("content-type", "").strip().lower().startswith("multipart/")


async def received_json(request: Request[Any, Any, Any], kind: type[T], *, for_bytes: int) -> tuple[T, str]:
    """The body, and a hash of it; `for_bytes` bytes in base64 fit in.

    Raises:
        UploadTooLarge: It is longer.
        BadUpload: The connection ended before it did.
        ValidationException: It is no JSON, or not of this kind.
    """
    limit = for_bytes * 4 // 3 + FORM_OVERHEAD
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise UploadTooLarge(f"an upload may have {for_bytes} bytes")
    except InternalServerException as error:  # what Litestar makes of a client that went away
        raise BadUpload("the connection ended before the body did") from error
    try:
        return await asyncio.to_thread(_decoded, body, kind)
    except msgspec.ValidationError as error:
        raise ValidationException(extra=[_fault(str(error))]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadUpload(f"the body is not JSON: {error}") from error


def _decoded(body: bytearray, kind: type[T]) -> tuple[T, str]:
    return msgspec.json.decode(body, type=kind), hashlib.sha256(body).hexdigest()


def _fault(text: str) -> dict[str, str]:
    """Msgspec's "Expected ... - at `$.field`" apart: what is wrong, and where."""
    message, _, place = text.partition(" - at `$.")
    return {"message": message, "key": place.rstrip("`") or "data"}
