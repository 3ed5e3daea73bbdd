"""Routes over images."""

import asyncio
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from litestar import Controller, HttpMethod, Request, Response, delete, get, patch, post, route
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED
from structlog.contextvars import bind_contextvars

from apps.api import delivery, present
from apps.api.accept import Form, FormShape, received_form
from apps.api.idempotency import fingerprint, once
from apps.api.listing import Limit, Md5, in_utc, listed
from apps.api.live import Live
from apps.api.openapi import BEARER, UploadOperation
from apps.api.request_log import request_id
from apps.api.waiting import done_in_time, prefer_wait_s
from libs import intake, retention
from libs.backends import Backends
from libs.contracts.views import (
    ImagePatch,
    ImageView,
    JobView,
    LinkRequest,
    Metadata,
    Operations,
    TransformRequest,
    WireStatus,
)
from libs.contracts.views import Link as LinkView
from libs.contracts.words import JobKind, Retention
from libs.imaging.formats import FormatName
from libs.imaging.header import read_header
from libs.imaging.limits import Limits
from libs.intake import Upload
from libs.storage import images
from libs.storage.images import Filter
from libs.storage.tables import BaseUser, Image, Job

METADATA_WAIT_S = 30.0


class Images(Controller):
    """Images: uploads, results, their bytes and what is done to them."""

    path = "/api/images"
    tags = ("Images",)
    security = BEARER

    @post(operation_class=UploadOperation, status_code=HTTP_201_CREATED, request_max_body_size=None)
    async def create(
        self,
        request: Request[Any, Any, Any],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
        live: NamedDependency[Live],
    ) -> Response[ImageView]:
        """Upload an image; with `operations`, a worker makes a result of it.

        Without operations: 201, and the image is kept. With operations: 202 with the job in `Location`, or
        201 with the finished result when `Prefer: wait=N` leaves time enough.
        """
        shape = FormShape(
            files=("image",),
            fields=("operations", "retention"),
            max_file_bytes=backends.settings.max_upload_bytes,
        )
        async with received_form(request, backends.scratch, shape) as form:
            file = form.file("image")
            print_of = fingerprint(request, file.md5, file.filename, *sorted(form.fields.items()))

            async def answer() -> Response[ImageView]:
                image, job = await _store(form, caller, backends)
                return await _created(request, image, job, backends, live)

            return await once(request, caller, print_of, ImageView, answer)

    @get()
    async def list_images(
        self,
        request: Request[Any, Any, Any],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
        status: FromQuery[WireStatus | None] = None,
        format: FromQuery[FormatName | None] = None,
        md5: Md5 = None,
        parent: FromQuery[UUID | None] = None,
        created_after: FromQuery[datetime | None] = None,
        created_before: FromQuery[datetime | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = 20,
    ) -> Response[list[ImageView]]:
        """The caller's images, newest first."""
        wanted = Filter(
            status=status,
            format=format,
            md5=md5,
            parent=parent,
            created_after=in_utc("created_after", created_after),
            created_before=in_utc("created_before", created_before),
        )
        found, total = await images.page(caller.id, wanted, limit=limit, after=after)
        at = present.origin(request, backends.settings)
        return listed(await present.image_views(found, at), request, at, total=total, limit=limit)

    @route("/{image_id:uuid}", http_method=[HttpMethod.GET, HttpMethod.POST], status_code=HTTP_200_OK)
    async def get_image(
        self,
        request: Request[Any, Any, Any],
        image_id: FromPath[UUID],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
    ) -> ImageView:
        """One image, with its newest result. Older clients ask by POST."""
        return await _view(await images.owned_by(caller.id, image_id), request, backends)

    @patch("/{image_id:uuid}")
    async def change(
        self,
        request: Request[Any, Any, Any],
        image_id: FromPath[UUID],
        data: JSONBody[ImagePatch],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
    ) -> ImageView:
        """Rename an image, keep it, or let it end."""
        image = await images.change(
            await images.owned_by(caller.id, image_id),
            filename=data.filename,
            retention=data.retention,
            undownloaded_s=backends.settings.expire_undownloaded_s,
        )
        return await _view(image, request, backends)

    @delete("/{image_id:uuid}")
    async def remove(
        self, image_id: FromPath[UUID], caller: NamedDependency[BaseUser], backends: NamedDependency[Backends]
    ) -> None:
        """Delete an image and its file, and cancel its jobs. Results of earlier jobs stay."""
        await retention.delete(await images.owned_by(caller.id, image_id), caller, backends)

    @route(
        "/{image_id:uuid}/download",
        http_method=[HttpMethod.GET, HttpMethod.HEAD, HttpMethod.POST],
        status_code=HTTP_200_OK,
    )
    async def download(
        self,
        request: Request[Any, Any, Any],
        image_id: FromPath[UUID],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
        version: FromQuery[Literal["latest", "original"]] = "latest",
    ) -> Response[Any]:
        """The newest result, or the image itself where nothing was made of it; takes ranges and ETags."""
        image = await _version(caller, image_id, version)
        return await delivery.stream(image, request, backends, disposition="attachment")

    @post("/{image_id:uuid}/transform", status_code=HTTP_202_ACCEPTED)
    async def transform(
        self,
        request: Request[Any, Any, Any],
        image_id: FromPath[UUID],
        data: JSONBody[TransformRequest],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
        live: NamedDependency[Live],
    ) -> Response[JobView]:
        """Queue operations over one stored image; `Prefer: wait=N` answers with the result."""
        source = await images.owned_by(caller.id, image_id)

        async def answer() -> Response[JobView]:
            job = await intake.transform(
                source,
                caller,
                data.operations,
                backends,
                retention=data.retention,
                request_id=request_id(),
            )
            return await _job_answer(request, job, backends, live)

        return await once(request, caller, fingerprint(request, await request.body()), JobView, answer)

    @post("/{image_id:uuid}/link", status_code=HTTP_201_CREATED)
    async def link(
        self,
        request: Request[Any, Any, Any],
        image_id: FromPath[UUID],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
        data: JSONBody[LinkRequest | None] = None,
    ) -> LinkView:
        """An address that opens the image without a token; never longer than the image lasts."""
        wanted = data or LinkRequest()
        image = await _version(caller, image_id, wanted.version)
        return delivery.link_to(
            image, backends.settings, present.origin(request, backends.settings), expires_in=wanted.expires_in
        )

    @get("/{image_id:uuid}/metadata")
    async def metadata(
        self,
        request: Request[Any, Any, Any],
        image_id: FromPath[UUID],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
        live: NamedDependency[Live],
    ) -> Response[Metadata] | Response[JobView]:
        """What a full decode tells; an image not described yet is described now, or 202 with the job."""
        image = await images.owned_by(caller.id, image_id)
        if image.phash is None:
            job = await intake.describe(image, caller, backends, request_id=request_id())
            wait_s = prefer_wait_s(request, default=METADATA_WAIT_S)
            if await done_in_time(job, live, wait_s) is None:
                return await _job_answer(request, job, backends, live)
            image = await images.owned_by(caller.id, image_id)
        return Response(present.metadata(image))


async def _store(form: Form, caller: BaseUser, backends: Backends) -> tuple[Image, Job | None]:
    received, settings = form.file("image"), backends.settings
    limits = Limits(
        max_pixels=settings.max_pixels, max_side=settings.max_side, max_frames=settings.max_frames
    )
    header = await asyncio.to_thread(read_header, received.path, limits)
    upload = Upload(
        path=received.path,
        filename=received.filename,
        size_bytes=received.size_bytes,
        md5=received.md5,
        header=header,
    )
    wanted = form.choice("retention", Retention)
    return await intake.store_upload(
        upload,
        caller,
        backends,
        operations=form.value("operations", Operations),
        retention=wanted,
        request_id=request_id(),
    )


async def _created(
    request: Request[Any, Any, Any], image: Image, job: Job | None, backends: Backends, live: Live
) -> Response[ImageView]:
    if job is not None:
        bind_contextvars(job_id=str(job.id))  # the request's own log line tells which job it made
    wait_s = prefer_wait_s(request)
    done = await done_in_time(job, live, wait_s) if job is not None else None
    at = present.origin(request, backends.settings)
    headers = {"Preference-Applied": f"wait={wait_s:g}"} if wait_s else {}
    if done is not None:
        rows = {one.id: one for one in await images.by_ids([image.id, done.result or image.id])}
        view = present.image_view(
            rows.get(image.id, image), done, at, result=rows.get(done.result) if done.result else None
        )
        return Response(view, status_code=HTTP_201_CREATED, headers={"Location": view.url, **headers})
    if job is None or job.kind == JobKind.DESCRIBE:  # what was asked for is there, its hash is not
        view = present.image_view(image, job, at)
        return Response(view, status_code=HTTP_201_CREATED, headers={"Location": view.url, **headers})
    view = present.image_view(image, job, at)
    return Response(
        view, status_code=HTTP_202_ACCEPTED, headers={"Location": f"{at}/api/jobs/{job.id}", **headers}
    )


async def _job_answer(
    request: Request[Any, Any, Any], job: Job, backends: Backends, live: Live
) -> Response[JobView]:
    bind_contextvars(job_id=str(job.id))
    wait_s = prefer_wait_s(request)
    done = await done_in_time(job, live, wait_s)
    view = present.job_view(done or job, present.origin(request, backends.settings))
    headers = {"Location": view.url} | ({"Preference-Applied": f"wait={wait_s:g}"} if wait_s else {})
    return Response(view, status_code=HTTP_200_OK if done else HTTP_202_ACCEPTED, headers=headers)


async def _version(caller: BaseUser, image_id: UUID, version: Literal["latest", "original"]) -> Image:
    image = await images.owned_by(caller.id, image_id)
    return image if version == "original" else await images.latest_of(image)


async def _view(image: Image, request: Request[Any, Any, Any], backends: Backends) -> ImageView:
    return (await present.image_views([image], present.origin(request, backends.settings)))[0]
