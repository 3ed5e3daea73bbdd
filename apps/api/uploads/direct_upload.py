"""Direct uploads: the announcement, the file at its signed address, and the image that is made of it."""

from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

from litestar import Request, Response
from litestar.exceptions import InternalServerException
from litestar.status_codes import HTTP_201_CREATED, HTTP_204_NO_CONTENT
from msgspec import structs

from apps.api.context import RequestContext
from apps.api.middleware.idempotency import fingerprint, once, required
from apps.api.uploads.errors import BadUpload, UploadTooLarge
from apps.api.uploads.multipart_form import FilePart, FormShape, ReceivedFile
from libs.auth.upload_links import sign_upload
from libs.backends import Backends
from libs.contracts.views.images import ImageFromUrl
from libs.contracts.views.uploads import UploadRequest, UploadView
from libs.images import direct_upload
from libs.images.direct_upload import OpenUpload
from libs.imaging.errors import SourceFault
from libs.storage import direct_uploads, upload_tokens
from libs.storage.database.tables import new_id, now
from libs.storage.database.upload_tables import DirectUpload
from libs.storage.direct_uploads import UploadIncomplete, UploadMismatch, UploadNotFound
from libs.storage.idempotency import Effect, Reservation
from libs.storage.object_keys import upload_key
from libs.storage.objects import ObjectNotFound


async def open_one(data: UploadRequest, digest: str, context: RequestContext) -> Response[UploadView]:
    """Reserve what a file needs, and answer with the address at which to store it.

    Raises:
        UploadTooLarge: The file would be too large.
    """
    token, limit = context.upload_token, context.settings.max_upload_bytes
    if token is not None and "idempotency-key" not in context.request.headers:
        upload_tokens.require_left(token)  # a repeated request finds what the first one opened
    limit = min(limit, token.max_bytes) if token is not None else limit
    if data.size_bytes > limit:
        raise UploadTooLarge(f"the limit on uploads is {limit} bytes")

    async def make(reservation: Reservation | None) -> DirectUpload:
        command = OpenUpload(
            owner=context.caller,
            filename=data.filename,
            size_bytes=data.size_bytes,
            content_type=data.content_type,
            md5=data.md5,
            token=token and token.id,
            reservation=reservation,
        )
        return await direct_upload.open_upload(command, context.backends)

    async def find(effect: Effect) -> DirectUpload:
        return await direct_uploads.by_id(required(effect.subject))

    async def respond(upload: DirectUpload) -> Response[UploadView]:
        return Response(await _view(upload, context), status_code=HTTP_201_CREATED)

    return await once(context, fingerprint(context.request, digest), make=make, find=find, respond=respond)


async def _view(upload: DirectUpload, context: RequestContext) -> UploadView:
    left_s = int(direct_upload.put_until(upload))
    if left_s <= 0:
        raise UploadNotFound(f"the time to store the file of upload {upload.id} is over")
    signed = await context.backends.objects.signed_put(
        upload_key(upload.id),
        size_bytes=upload.size_bytes,
        md5=upload.md5,
        content_type=upload.content_type,
        expires_s=left_s,
    )
    headers = {"Content-Type": upload.content_type}
    if upload.md5 is not None:
        headers["Content-MD5"] = b64encode(bytes.fromhex(upload.md5)).decode()
    token = sign_upload(context.settings.secret_key, upload.id, ttl_s=left_s)
    return UploadView(
        id=upload.id,
        url=signed.url if signed is not None else f"{context.base_url}/u/{token}",
        headers=signed.headers if signed is not None else headers,
        expires_at=now() + timedelta(seconds=left_s),
    )


async def receive(
    upload: DirectUpload, request: Request[Any, Any, Any], backends: Backends
) -> Response[None]:
    """Store the body as the file of an upload, under the conditions of a presigned request to S3.

    Raises:
        UploadMismatch: It is not the announced file.
        BadUpload: The body is truncated.
    """
    if request.headers.get("content-type", "") != upload.content_type:
        raise UploadMismatch(f"send `Content-Type: {upload.content_type}`, as it was announced")
    if request.content_length is not None:
        direct_upload.check_file(upload, size_bytes=request.content_length)
    async with _received(upload, _body(request), backends) as file:
        await direct_upload.store_file(upload, file.path, file.md5, backends)
    stored = Response(b"", status_code=HTTP_204_NO_CONTENT, headers={"ETag": f'"{file.md5}"'})
    return cast("Response[None]", stored)


@asynccontextmanager
async def claimed_file(
    body: ImageFromUrl, context: RequestContext
) -> AsyncGenerator[tuple[DirectUpload, ReceivedFile]]:
    """Provide the checked file of the upload that a body names; the block makes an image of it.

    The upload is given up if its file can never be an image.

    Raises:
        UploadNotFound, UploadClaimed: There is no such upload.
        UploadIncomplete: Its file has not arrived.
        UploadMismatch: Its file is not the announced one.
    """
    assert body.upload is not None, "the caller looked"  # noqa: S101
    backends, token = context.backends, context.upload_token
    upload = await direct_uploads.open_one(
        body.upload, owner=context.caller.id, token=token.id if token is not None else None
    )
    try:
        async with (
            backends.objects.read(upload_key(upload.id)) as chunks,
            _received(upload, chunks, backends) as file,
        ):
            yield upload, file if body.filename is None else _renamed(file, body.filename)
    except ObjectNotFound as error:
        raise UploadIncomplete(f"the file of upload {upload.id} has not arrived") from error
    except (UploadMismatch, SourceFault):
        await direct_upload.discard(upload, backends)
        raise
    await direct_upload.remove_file(upload.id, backends)


@asynccontextmanager
async def _received(
    upload: DirectUpload, chunks: AsyncIterator[bytes], backends: Backends
) -> AsyncGenerator[ReceivedFile]:
    """Copy a file to this process and check it. It is deleted at the end of the block unless it was moved."""
    shape = FormShape(files=(), fields=(), max_file_bytes=upload.size_bytes)
    part = FilePart("upload", upload.filename, backends.scratch / f"upload-{upload.id}-{new_id()}", shape)
    try:
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            if size > upload.size_bytes:
                raise UploadMismatch(f"the file has more than the {upload.size_bytes} bytes announced")
            await part.add(chunk)
        file = await part.finish()
        direct_upload.check_file(upload, size_bytes=file.size_bytes, md5=file.md5)
        yield file
    finally:
        part.discard()


async def _body(request: Request[Any, Any, Any]) -> AsyncGenerator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except InternalServerException as error:  # Litestar raises it when the client disconnects
        raise BadUpload("the connection ended before the body did") from error


def _renamed(file: ReceivedFile, filename: str) -> ReceivedFile:
    return structs.replace(file, filename=filename)
