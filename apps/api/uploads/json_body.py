"""JSON bodies, which may be as large as an upload, because a `data:` URL may contain an image."""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException, ValidationException
from msgspec import Struct

from apps.api.context import RequestContext
from apps.api.uploads.errors import BadUpload, UploadTooLarge, field_errors
from apps.api.uploads.json_with_image import JsonWithImage
from apps.api.uploads.multipart_form import FORM_OVERHEAD, FilePart, FormShape, ReceivedFile
from libs.contracts.json_text import decode_json
from libs.runtime.threads import PARSING
from libs.storage.database.tables import new_id

T = TypeVar("T")


class ImageJson(Struct, Generic[T], frozen=True):
    """A decoded body."""

    body: T
    digest: str  # of all its bytes
    file: ReceivedFile | None  # the data of its `data:` URL, if that was written to a file


def is_json(request: Request[Any, Any, Any]) -> bool:
    """Return whether the body is declared as JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def is_form(request: Request[Any, Any, Any]) -> bool:
    """Return whether the body is declared as a multipart form."""
    return request.headers.get("content-type", "").strip().lower().startswith("multipart/")


async def received_json(request: Request[Any, Any, Any], kind: type[T]) -> tuple[T, str]:
    """Decode a body of at most `FORM_OVERHEAD` bytes, and return it with a hash of its bytes.

    Raises:
        UploadTooLarge: The body is larger.
        BadUpload: The body is truncated, or is not JSON.
        ValidationException: The body is not of this type.
    """
    body = bytearray()
    async for chunk in _chunks(request, for_bytes=0):
        body += chunk
    return await _decoded(body, kind), hashlib.sha256(body).hexdigest()


@asynccontextmanager
async def received_image_json(context: RequestContext, kind: type[T]) -> AsyncGenerator[ImageJson[T]]:
    """Decode a body whose `image_url` may be a `data:` URL with an upload, which is written to a file.

    A file that is not moved elsewhere is deleted at the end of the block.

    Raises:
        UrlTooLarge, UrlNotAnImage: The `data:` URL is too large or malformed.
        UploadTooLarge, BadUpload, ValidationException: As `received_json`.
    """
    limit = context.settings.max_upload_bytes
    shape = FormShape(files=("image_url",), fields=(), max_file_bytes=limit)
    body, digest = JsonWithImage(max_file_bytes=limit), hashlib.sha256()
    part: FilePart | None = None
    try:
        async for chunk in _chunks(context.request, for_bytes=limit):
            digest.update(chunk)
            content = body.feed(chunk)
            if part is None and body.has_file:
                path = context.backends.scratch / f"upload-{new_id()}"
                part = FilePart("image_url", "image", path, shape)
            if part is not None:
                await part.add(content)
        value = await _decoded(body.text, kind)
        yield ImageJson(value, digest.hexdigest(), None if part is None else await part.finish())
    finally:
        if part is not None:
            part.discard()


async def _chunks(request: Request[Any, Any, Any], *, for_bytes: int) -> AsyncGenerator[bytes]:
    """Yield a body that has at most `for_bytes` bytes in base64."""
    limit = for_bytes * 4 // 3 + FORM_OVERHEAD
    if (request.content_length or 0) > limit:
        raise UploadTooLarge(f"the limit on uploads is {for_bytes} bytes")
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise UploadTooLarge(f"the limit on uploads is {for_bytes} bytes")
            yield chunk
    except InternalServerException as error:  # Litestar raises it when the client disconnects
        raise BadUpload("the connection ended before the body did") from error


async def _decoded(body: bytearray, kind: type[T]) -> T:
    try:
        return await PARSING.run(decode_json, body, kind)
    except msgspec.ValidationError as error:
        raise ValidationException(extra=field_errors(error)) from error
    except msgspec.DecodeError as error:
        raise BadUpload(f"the body {error}") from error
