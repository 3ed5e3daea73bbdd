"""Routes for images."""

from typing import Any, Literal, TypeAlias
from uuid import UUID

from litestar import Controller, HttpMethod, Response, delete, get, patch, post, put, route
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED

from apps.api.context import RequestContext, job_options
from apps.api.middleware.idempotency import fingerprint
from apps.api.middleware.key_access import needs
from apps.api.middleware.upload_token_access import BY_UPLOAD_TOKEN
from apps.api.openapi.document import BEARER, UPLOAD, by_method
from apps.api.responses import files, image_pages, image_views
from apps.api.responses.image_pages import PageRequest, image_filter, image_page
from apps.api.responses.job_responses import in_progress, job_once
from apps.api.uploads import replace_image
from apps.api.uploads.create_image import create
from apps.api.uploads.describe_image import metadata_of
from apps.api.uploads.edit_image import edit, replace_and_edit
from apps.api.uploads.json_body import is_form
from libs.contracts.enums import Scope
from libs.contracts.views.images import Confirmation, ImageMetadata, ImageView, TransformRequest
from libs.contracts.views.jobs import JobView
from libs.contracts.views.links import LinkRequest, LinkView
from libs.delivery.presets import with_preset
from libs.images import expiry
from libs.images.transform import TransformStored, transform
from libs.storage import images
from libs.storage.database.tables import BaseUser, Image, Job
from libs.storage.idempotency import Reservation
from libs.storage.image_list import Filter

Version: TypeAlias = Literal["latest", "original"]
WAIT_S = 30.0  # without a preference of the client
LISTED = {
    "filtered_by": Provide(image_filter, sync_to_thread=False),
    "page": Provide(image_page, sync_to_thread=False),
}
"""What the routes of lists read from the query."""


class Images(Controller):
    """Images: uploads, results, downloads, transformations and edits."""

    path = "/api/images"
    tags = ("Images",)
    security = BEARER
    opt = needs(Scope.IMAGES_READ, Scope.IMAGES_WRITE)

    @post(
        operation_id="uploadImage",
        status_code=HTTP_201_CREATED,
        request_max_body_size=None,
        opt=BY_UPLOAD_TOKEN,
        security=UPLOAD,
    )
    async def create(
        self, context: NamedDependency[RequestContext]
    ) -> Response[ImageView] | Response[JobView]:
        """Upload an image or name its URL, with optional operations or an edit.

        An upload without operations and prompt is kept, and answered with 201. Other requests are answered
        with 202 and the job in `Location`, or with 201 and the result if it is ready within `Prefer: wait=N`.
        """
        return await create(context)

    @get(operation_id="listImages", dependencies=LISTED)
    async def list_images(
        self,
        context: NamedDependency[RequestContext],
        filtered_by: NamedDependency[Filter],
        page: NamedDependency[PageRequest],
    ) -> Response[list[ImageView]]:
        """List the caller's images, newest first without `sort`. An image has to match every filter."""
        found, headers = await image_pages.found(context, filtered_by, page)
        return Response(await image_views.views_of(found, context.addresses), headers=headers)

    @get("/{image_id:uuid}", operation_id="getImage")
    async def get_image(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> ImageView:
        """Get one image, with its newest result."""
        return await image_views.view_of(
            await images.owned_by(context.caller.id, image_id), context.addresses
        )

    @patch(
        "/{image_id:uuid}",
        operation_id="changeImage",
        status_code=HTTP_200_OK,
        request_max_body_size=None,
    )
    async def change(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Response[ImageView] | Response[JobView]:
        """Change name, retention, tags or `public` of an image, or replace its bytes by those at `image_url`.

        A form with another image and a prompt replaces the bytes and edits them. It is answered with 202, or
        with 200 and the result if it is ready within `Prefer: wait=N`.
        """
        return await change_image(image_id, context)

    @put(
        "/{image_id:uuid}",
        operation_id="replaceImage",
        status_code=HTTP_200_OK,
        request_max_body_size=None,
    )
    async def replace(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Response[ImageView] | Response[JobView]:
        """Replace an image's bytes by those at a URL. A failed fetch changes nothing.

        Waits up to 30 seconds, then answers with 202 and the job in `Location`.
        """
        return await replace_image.replace(image_id, context.waiting(WAIT_S))

    @delete("/{image_id:uuid}", operation_id="deleteImage", status_code=HTTP_200_OK)
    async def remove(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Confirmation:
        """Delete an image and its file, and cancel its jobs. Results of earlier jobs are not deleted."""
        return await delete_image(image_id, context)

    @route(
        "/{image_id:uuid}/download",
        http_method=[HttpMethod.GET, HttpMethod.HEAD],
        operation_id=by_method(GET="downloadImage", HEAD="checkDownload"),
        status_code=HTTP_200_OK,
    )
    async def download(
        self,
        image_id: FromPath[UUID],
        context: NamedDependency[RequestContext],
        version: FromQuery[Version] = "latest",
    ) -> Response[Any]:
        """Download the newest result, or the image itself without one. Ranges and ETags are supported.

        Where clients reach the object store (`public_url` of `DARKROOM_OBJECTS_URL`), it redirects there.
        """
        return await download_image(image_id, version, context)

    @post("/{image_id:uuid}/transform", operation_id="transformImage", status_code=HTTP_202_ACCEPTED)
    async def transform(
        self,
        image_id: FromPath[UUID],
        data: JSONBody[TransformRequest],
        context: NamedDependency[RequestContext],
    ) -> Response[JobView]:
        """Queue operations on a stored image. `Prefer: wait=N` waits for the result."""
        image = await images.owned_by(context.caller.id, image_id)

        async def make(reservation: Reservation | None) -> Job:
            command = TransformStored(
                owner=context.caller,
                image=image,
                operations=await with_preset(context.caller.id, data.preset, data.operations) or (),
                options=job_options(data.webhook_url, reservation),
                retention=data.retention,
            )
            return await transform(command, context.backends)

        return await job_once(context, fingerprint(context.request, await context.request.body()), make)

    @post(
        "/{image_id:uuid}/edit",
        opt=needs(Scope.EDITS),
        operation_id="editImage",
        status_code=HTTP_202_ACCEPTED,
        request_max_body_size=None,
    )
    async def edit(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Response[JobView]:
        """Queue an edit of a stored image by a model. `Prefer: wait=N` waits for the result.

        The results are new images whose `parent` is this image.
        """
        image = await images.owned_by(context.caller.id, image_id)
        return await edit(image, context)

    @post(
        "/{image_id:uuid}/link",
        operation_id="createLink",
        opt=needs(Scope.IMAGES_READ),
        status_code=HTTP_201_CREATED,
    )
    async def link(
        self,
        image_id: FromPath[UUID],
        context: NamedDependency[RequestContext],
        data: JSONBody[LinkRequest | None] = None,
    ) -> LinkView:
        """Create an address that opens the image without a token. It expires with the image at the latest."""
        requested = data or LinkRequest()
        image = await _version(context.caller, image_id, requested.version)
        return files.link_to(image, context.settings, context.base_url, expires_in=requested.expires_in)

    @get("/{image_id:uuid}/metadata", operation_id="getImageMetadata")
    async def metadata(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Response[ImageMetadata] | Response[JobView]:
        """Get the findings of a full decode. 202 with the job if the image is not described in time."""
        image = await images.owned_by(context.caller.id, image_id)
        found = await metadata_of(image, context.waiting(WAIT_S))
        return in_progress(context, found) if isinstance(found, Job) else Response(found)


async def change_image(image_id: UUID, context: RequestContext) -> Response[ImageView] | Response[JobView]:
    """Change an image as a JSON body says, or replace and edit it as a form says."""
    if is_form(context.request):
        image = await images.owned_by(context.caller.id, image_id)
        return await replace_and_edit(image, context)
    return await replace_image.change(image_id, context.waiting(WAIT_S))


async def delete_image(image_id: UUID, context: RequestContext) -> Confirmation:
    """Delete an image and its file, and cancel its jobs."""
    image = await images.owned_by(context.caller.id, image_id)
    await expiry.delete(image, context.caller, context.backends)
    return Confirmation(message="Record deleted successfully")


async def download_image(image_id: UUID, version: Version, context: RequestContext) -> Response[Any]:
    """Answer with a version of an image as an attachment."""
    image = await _version(context.caller, image_id, version)
    return await files.download(image, context.request, context.backends)


async def _version(caller: BaseUser, image_id: UUID, version: Version) -> Image:
    find = images.owned_by if version == "original" else images.latest_of
    return await find(caller.id, image_id)
