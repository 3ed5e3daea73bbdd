"""Routes over images."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from litestar import Controller, HttpMethod, Response, delete, get, patch, post, put, route
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED

from apps.api import delivery, present, replacement
from apps.api.answers import in_progress, job_answer
from apps.api.asked import Asked
from apps.api.creation import create, metadata_of
from apps.api.editing import edit, replace_and_edit
from apps.api.idempotency import fingerprint, once
from apps.api.json_body import is_form
from apps.api.listing import Limit, Md5, in_utc, listed
from apps.api.openapi import BEARER, EditOperation, PatchOperation, PutOperation, UploadOperation
from apps.api.request_log import request_id
from libs import intake, retention
from libs.backends import Backends
from libs.contracts.views import Done, ImageView, JobView, LinkRequest, Metadata, TransformRequest, WireStatus
from libs.contracts.views import Link as LinkView
from libs.imaging.formats import FormatName
from libs.storage import images
from libs.storage.images import Filter
from libs.storage.tables import BaseUser, Image, Job

WAIT_S = 30.0  # where nothing was preferred


class Images(Controller):
    """Images: uploads, results, their bytes and what is done to them."""

    path = "/api/images"
    tags = ("Images",)
    security = BEARER

    @post(operation_class=UploadOperation, status_code=HTTP_201_CREATED, request_max_body_size=None)
    async def create(self, asked: NamedDependency[Asked]) -> Response[ImageView] | Response[JobView]:
        """Upload an image or name its URL; with `operations`, a worker makes a result of it.

        An upload without operations: 201, and the image is kept. Anything else: 202 with the job in
        `Location`, or 201 with the finished image when `Prefer: wait=N` leaves time enough.
        """
        return await create(asked)

    @post(
        "/create",
        operation_class=UploadOperation,
        status_code=HTTP_201_CREATED,
        request_max_body_size=None,
    )
    async def create_and_wait(self, asked: NamedDependency[Asked]) -> Response[ImageView] | Response[JobView]:
        """As `POST /api/images`, but waits for up to 30 seconds without being asked to."""
        return await create(asked.waiting(WAIT_S))

    @get()
    async def list_images(
        self,
        asked: NamedDependency[Asked],
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
        found, total = await images.page(asked.caller.id, wanted, limit=limit, after=after)
        return listed(await present.image_views(found, asked.at), asked, total=total, limit=limit)

    @route("/{image_id:uuid}", http_method=[HttpMethod.GET, HttpMethod.POST], status_code=HTTP_200_OK)
    async def get_image(self, image_id: FromPath[UUID], asked: NamedDependency[Asked]) -> ImageView:
        """One image, with its newest result. Older clients ask by POST."""
        return await present.one_image(await images.owned_by(asked.caller.id, image_id), asked.at)

    @patch(
        "/{image_id:uuid}",
        operation_class=PatchOperation,
        status_code=HTTP_200_OK,
        request_max_body_size=None,
    )
    async def change(
        self, image_id: FromPath[UUID], asked: NamedDependency[Asked]
    ) -> Response[ImageView] | Response[JobView]:
        """Rename an image, keep it, let it end, or replace its bytes by those at another `image_url`.

        A form with another image and a prompt replaces the bytes and edits them: 202, or 200 with the
        result when `Prefer: wait=N` leaves time enough.
        """
        if is_form(asked.request):
            image = await images.owned_by(asked.caller.id, image_id)
            return await replace_and_edit(image, asked)
        return await replacement.change(image_id, asked.waiting(WAIT_S))

    @put(
        "/{image_id:uuid}",
        operation_class=PutOperation,
        status_code=HTTP_200_OK,
        request_max_body_size=None,
    )
    async def replace(
        self, image_id: FromPath[UUID], asked: NamedDependency[Asked]
    ) -> Response[ImageView] | Response[JobView]:
        """Fetch an image's bytes again or from elsewhere; a fetch that fails leaves everything as it was.

        Waits for up to 30 seconds, then 202 with the job in `Location`.
        """
        return await replacement.replace(image_id, asked.waiting(WAIT_S))

    @delete("/{image_id:uuid}", status_code=HTTP_200_OK)
    async def remove(
        self, image_id: FromPath[UUID], caller: NamedDependency[BaseUser], backends: NamedDependency[Backends]
    ) -> Done:
        """Delete an image and its file, and cancel its jobs. Results of earlier jobs stay."""
        await retention.delete(await images.owned_by(caller.id, image_id), caller, backends)
        return Done(message="Record deleted successfully")

    @route(
        "/{image_id:uuid}/download",
        http_method=[HttpMethod.GET, HttpMethod.HEAD, HttpMethod.POST],
        status_code=HTTP_200_OK,
    )
    async def download(
        self,
        image_id: FromPath[UUID],
        asked: NamedDependency[Asked],
        version: FromQuery[Literal["latest", "original"]] = "latest",
    ) -> Response[Any]:
        """The newest result, or the image itself where nothing was made of it; takes ranges and ETags."""
        image = await _version(asked.caller, image_id, version)
        return await delivery.stream(image, asked.request, asked.backends, disposition="attachment")

    @post("/{image_id:uuid}/transform", status_code=HTTP_202_ACCEPTED)
    async def transform(
        self, image_id: FromPath[UUID], data: JSONBody[TransformRequest], asked: NamedDependency[Asked]
    ) -> Response[JobView]:
        """Queue operations over one stored image; `Prefer: wait=N` answers with the result."""
        source = await images.owned_by(asked.caller.id, image_id)

        async def answer() -> Response[JobView]:
            job = await intake.transform(
                source,
                asked.caller,
                data.operations,
                asked.backends,
                retention=data.retention,
                request_id=request_id(),
                webhook_url=data.webhook_url,
            )
            return await job_answer(asked, job)

        return await once(asked, fingerprint(asked.request, await asked.request.body()), answer)

    @post(
        "/{image_id:uuid}/edit",
        operation_class=EditOperation,
        status_code=HTTP_202_ACCEPTED,
        request_max_body_size=None,
    )
    async def edit(self, image_id: FromPath[UUID], asked: NamedDependency[Asked]) -> Response[JobView]:
        """Have a model change one stored image as the prompt says; `Prefer: wait=N` answers with the result.

        The results are new images whose `parent` is this one.
        """
        image = await images.owned_by(asked.caller.id, image_id)
        return await edit(image, asked)

    @post("/{image_id:uuid}/link", status_code=HTTP_201_CREATED)
    async def link(
        self,
        image_id: FromPath[UUID],
        asked: NamedDependency[Asked],
        data: JSONBody[LinkRequest | None] = None,
    ) -> LinkView:
        """An address that opens the image without a token; never longer than the image lasts."""
        wanted = data or LinkRequest()
        image = await _version(asked.caller, image_id, wanted.version)
        return delivery.link_to(image, asked.settings, asked.at, expires_in=wanted.expires_in)

    @get("/{image_id:uuid}/metadata")
    async def metadata(
        self, image_id: FromPath[UUID], asked: NamedDependency[Asked]
    ) -> Response[Metadata] | Response[JobView]:
        """What a full decode tells; an image not described yet is described now, or 202 with the job."""
        told = await metadata_of(await images.owned_by(asked.caller.id, image_id), asked.waiting(WAIT_S))
        return in_progress(asked, told) if isinstance(told, Job) else Response(told)


async def _version(caller: BaseUser, image_id: UUID, version: Literal["latest", "original"]) -> Image:
    image = await images.owned_by(caller.id, image_id)
    return image if version == "original" else await images.latest_of(image)
