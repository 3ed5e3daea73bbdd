"""The API of the admin pages beside Piccolo's own: the overview, pictures and actions."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import UUID

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from apps.api.admin.audited import note
from apps.api.admin.tables import access_of, table_configs
from apps.api.problems import STATUS, status_of
from apps.http.content_disposition import UNTRUSTED
from apps.http.request_log import request_id
from libs.backends import Backends
from libs.batches.create import RetryBatch, retry_batch
from libs.contracts.json_text import decode_json
from libs.images import expiry
from libs.images.thumbnails import MIME, Thumbnails
from libs.jobs.rerun import rerun
from libs.storage import accounts, batches, images, site_overview, webhook_deliveries
from libs.storage.database.tables import Image
from libs.storage.image_errors import ImageNotFound

DELETE_AT_ONCE = 100


class ImageSelection(Struct, frozen=True):
    """The images to delete."""

    ids: list[UUID]


class AdminApi:
    """The handlers of the admin API."""

    def __init__(self, backends: Backends, thumbnails: Thumbnails) -> None:
        self._backends = backends
        self._thumbnails = thumbnails
        self._tables = [config.table_class for config in table_configs(backends)]

    def application(self) -> Starlette:
        """Build the application. The caller restricts it to operators.

        Paths end in a slash, because Litestar adds one to the paths of a mounted application.
        """
        return Starlette(
            routes=[
                Route("/overview/", self.overview),
                Route("/access/", self.access),
                Route("/images/{id:uuid}/thumbnail/", self.thumbnail),
                Route("/images/{id:uuid}/file/", self.file),
                Route("/images/delete/", self.delete, methods=["POST"]),
                Route("/jobs/{id:uuid}/retry/", self.retry, methods=["POST"]),
                Route("/batches/{id:uuid}/retry/", self.retry_batch, methods=["POST"]),
                Route("/deliveries/{id:uuid}/redeliver/", self.redeliver, methods=["POST"]),
            ],
            exception_handlers={**dict.fromkeys(STATUS, _problem), msgspec.DecodeError: _bad_request},
        )

    async def overview(self, _: Request) -> Response:
        return Response(msgspec.json.encode(await site_overview.read()), media_type="application/json")

    async def access(self, request: Request) -> Response:
        """Say what the operator may change in each table."""
        access = access_of(self._tables, superuser=request.user.user.superuser)
        return Response(msgspec.json.encode(access), media_type="application/json")

    async def thumbnail(self, request: Request) -> Response:
        image = await _image(request)
        headers = {**UNTRUSTED, "ETag": f'"{image.md5}"', "Cache-Control": "private, max-age=60"}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(await self._thumbnails.read(image), media_type=MIME, headers=headers)

    async def file(self, request: Request) -> Response:
        """Stream the stored image. This does not count as a download, so no expiry starts."""
        image = await _image(request)
        stack = AsyncExitStack()  # opened here, so that a missing file is a 404
        chunks = await stack.enter_async_context(self._backends.objects.read(image.object_key))

        async def body() -> AsyncIterator[bytes]:
            async with stack:
                async for chunk in chunks:
                    yield chunk

        headers = {**UNTRUSTED, "Cache-Control": "private, no-store", "Content-Length": str(image.size_bytes)}
        return StreamingResponse(body(), media_type=image.mime, headers=headers)

    async def delete(self, request: Request) -> Response:
        """Delete images and their files at once."""
        selected = decode_json(await request.body(), ImageSelection).ids
        if len(selected) > DELETE_AT_ONCE:
            raise HTTPException(400, f"select at most {DELETE_AT_ONCE} images")
        found = await images.by_ids(selected)
        owners = {user.id: user for user in await accounts.by_ids({image.owner for image in found})}
        for image in found:
            await note(request, "image.delete", image.id, image.filename)
            await expiry.delete(image, owners[image.owner], self._backends)
        return JSONResponse({"deleted": len(found)})

    async def retry(self, request: Request) -> Response:
        """Run a failed job again."""
        job = await rerun(request.path_params["id"], self._backends)
        await note(request, "job.retry", job.id)
        return JSONResponse({"id": str(job.id), "status": job.status})

    async def retry_batch(self, request: Request) -> Response:
        """Run the failed jobs of a batch again."""
        batch = await batches.by_id(request.path_params["id"])
        [owner] = await accounts.by_ids([batch.owner])
        command = RetryBatch(owner=owner, batch=batch, request_id=request_id())
        again = await retry_batch(command, self._backends)
        await note(request, "batch.retry", batch.id, batch.filename)
        return JSONResponse({"id": str(again.id), "status": again.status})

    async def redeliver(self, request: Request) -> Response:
        """Send a webhook event again."""
        delivery = await webhook_deliveries.redeliver_any(request.path_params["id"])
        await note(request, "delivery.redeliver", delivery.id)
        return JSONResponse({"id": str(delivery.id), "status": delivery.status})


async def _image(request: Request) -> Image:
    image = await images.by_id(request.path_params["id"])
    if image is None:
        raise ImageNotFound(f"there is no image {request.path_params['id']}")
    return image


async def _problem(_: Request, error: Exception) -> Response:
    content = {"code": getattr(error, "code", ""), "detail": str(error)}
    return JSONResponse(content, status_code=status_of(type(error)))


async def _bad_request(_: Request, error: Exception) -> Response:
    return JSONResponse({"code": "invalid_request", "detail": str(error)}, status_code=400)
