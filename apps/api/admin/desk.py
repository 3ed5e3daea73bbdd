"""What the admin pages ask for beside Piccolo's own: the start page, pictures, and actions."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from apps.api.errors import status_of
from libs import intake, retention
from libs.backends import Backends
from libs.children import ChildError
from libs.imaging.errors import ImagingError
from libs.storage import images, overview
from libs.storage.images import ImageError, ImageNotFound
from libs.storage.jobs import JobError
from libs.storage.objects import ObjectNotFound, StoreUnavailable
from libs.storage.tables import BaseUser, Image
from libs.thumbnails import MIME, Thumbnails

DELETE_AT_ONCE = 100
SAFE = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}

Handler = Callable[[Request], Awaitable[Response]]


class Chosen(Struct, frozen=True):
    """The images that an operator wants to be gone."""

    ids: list[UUID]


def desk(backends: Backends, thumbnails: Thumbnails) -> Starlette:
    """The routes; whoever mounts them sees to it that only operators reach them.

    A mounted application gets its addresses with a slash at the end.
    """

    async def show_overview(_: Request) -> Response:
        return Response(msgspec.json.encode(await overview.take()), media_type="application/json")

    async def thumbnail(request: Request) -> Response:
        image = await _image(request)
        etag = f'"{image.md5}"'
        headers = {**SAFE, "ETag": etag, "Cache-Control": "private, max-age=60"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(await thumbnails.read(image), media_type=MIME, headers=headers)

    async def file(request: Request) -> Response:
        """The image as it is stored; an operator's look is no download, and starts no clock."""
        image = await _image(request)
        source = backends.objects.read(image.object_key)
        chunks = await source.__aenter__()  # a file that is gone is known before the answer begins

        async def body():  # noqa: ANN202
            try:
                async for chunk in chunks:
                    yield chunk
            finally:
                await source.__aexit__(None, None, None)

        headers = {**SAFE, "Cache-Control": "private, no-store", "Content-Length": str(image.size_bytes)}
        return StreamingResponse(body(), media_type=image.mime, headers=headers)

    async def retry(request: Request) -> Response:
        job = await intake.retry(request.path_params["id"], backends)
        return JSONResponse({"id": str(job.id), "status": job.status})

    async def delete(request: Request) -> Response:
        chosen = msgspec.json.decode(await request.body(), type=Chosen).ids
        if len(chosen) > DELETE_AT_ONCE:
            raise HTTPException(400, f"at most {DELETE_AT_ONCE} at once")
        found = await images.by_ids(chosen)
        owners = {user.id: user for user in await _users({image.owner for image in found})}
        for image in found:
            await retention.delete(image, owners[image.owner], backends)
        return JSONResponse({"deleted": len(found)})

    return Starlette(
        routes=[
            Route("/overview/", show_overview),
            Route("/images/{id:uuid}/thumbnail/", thumbnail),
            Route("/images/{id:uuid}/file/", file),
            Route("/images/delete/", delete, methods=["POST"]),
            Route("/jobs/{id:uuid}/retry/", retry, methods=["POST"]),
        ],
        exception_handlers=dict.fromkeys(
            (ImageError, JobError, ImagingError, ChildError, ObjectNotFound, StoreUnavailable), _problem
        )
        | {msgspec.DecodeError: _bad_request},
    )


async def _image(request: Request) -> Image:
    image = await images.by_id(request.path_params["id"])
    if image is None:
        raise ImageNotFound(f"there is no image {request.path_params['id']}")
    return image


async def _users(ids: set[int]) -> list[BaseUser]:
    return await BaseUser.objects().where(BaseUser.id.is_in(list(ids))) if ids else []


async def _problem(_: Request, error: Exception) -> Response:
    content = {"code": getattr(error, "code", ""), "detail": str(error)}
    return JSONResponse(content, status_code=status_of(type(error)))


async def _bad_request(_: Request, error: Exception) -> Response:
    return JSONResponse({"code": "invalid_request", "detail": str(error)}, status_code=400)
