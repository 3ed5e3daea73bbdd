"""JSON bodies, which may be as large as an upload, because a `data:` URL may contain an image."""

import hashlib
from typing import Any, TypeVar

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException, ValidationException

from apps.api.uploads.errors import BadUpload, UploadTooLarge
from apps.api.uploads.multipart_form import FORM_OVERHEAD
from libs.contracts.json_text import decode_json
from libs.runtime.threads import PARSING

T = TypeVar("T")


def is_json(request: Request[Any, Any, Any]) -> bool:
    """Return whether the body is declared as JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def is_form(request: Request[Any, Any, Any]) -> bool:
    """Return whether the body is declared as a multipart form."""
    return request.headers.get("content-type", "").strip().lower().startswith("multipart/")


async def received_json(request: Request[Any, Any, Any], kind: type[T], *, for_bytes: int) -> tuple[T, str]:
    """Decode a body of at most `for_bytes` bytes in base64, and return it with a hash of its bytes.

    Raises:
        UploadTooLarge: The body is larger.
        BadUpload: The body is truncated, or is not JSON.
        ValidationException: The body is not of this type.
    """
    limit = for_bytes * 4 // 3 + FORM_OVERHEAD
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise UploadTooLarge(f"the limit on uploads is {for_bytes} bytes")
    except InternalServerException as error:  # Litestar raises it when the client disconnects
        raise BadUpload("the connection ended before the body did") from error
    try:
        return await PARSING.run(_decoded, body, kind)
    except msgspec.ValidationError as error:
        raise ValidationException(extra=[_field_error(str(error))]) from error
    except msgspec.DecodeError as error:
        raise BadUpload(f"the body is not JSON: {error}") from error


def _decoded(body: bytearray, kind: type[T]) -> tuple[T, str]:
    return decode_json(body, kind), hashlib.sha256(body).hexdigest()


def _field_error(text: str) -> dict[str, str]:
    """Split msgspec's "Expected ... - at `$.field`" into message and field."""
    message, _, place = text.partition(" - at `$.")
    return {"message": message, "key": place.rstrip("`") or "data"}
