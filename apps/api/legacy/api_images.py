"""`/api/images/` with a trailing slash: hash records and pipelines of older clients."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from apps.api.context import RequestContext
from apps.api.legacy import TAGS
from apps.api.legacy.addresses import SLASHED
from apps.api.legacy.image_views import LegacyImage, legacy_image, translated
from apps.api.legacy.pipelines import PIPELINE_FORM
from apps.api.middleware.key_access import needs
from apps.api.middleware.query_parameters import ANY_PARAMETERS
from apps.api.openapi.document import BEARER
from apps.api.responses import image_pages, image_views
from apps.api.responses.image_pages import PageRequest
from apps.api.routes.images import LISTED, WAIT_S, change_image, delete_image, download_image
from apps.api.uploads import replace_image
from apps.api.uploads.create_image import create
from libs.contracts.enums import Scope
from libs.contracts.views.images import Confirmation
from libs.contracts.views.jobs import JobView
from libs.storage import images
from libs.storage.image_list import Filter

IMAGES = f"{SLASHED}/api/images"
IMAGE = f"{IMAGES}/{{image_id:uuid}}"


class LegacyApiImages(Controller):
    """Images for older clients at the addresses that they share with today's."""

    tags = TAGS
    security = BEARER
    opt = needs(Scope.IMAGES_READ, Scope.IMAGES_WRITE) | ANY_PARAMETERS

    @post(
        IMAGES,
        status_code=HTTP_201_CREATED,
        request_max_body_size=None,
    )
    async def create(
        self, context: NamedDependency[RequestContext]
    ) -> Response[LegacyImage] | Response[JobView]:
        """Upload an image as with `POST /api/images`, or with a pipeline's form."""
        return translated(await create(context, PIPELINE_FORM), legacy_image)

    @post(
        "/api/images/create",
        status_code=HTTP_201_CREATED,
        request_max_body_size=None,
    )
    async def create_and_wait(
        self, context: NamedDependency[RequestContext]
    ) -> Response[LegacyImage] | Response[JobView]:
        """Upload an image or name its URL, and wait up to 30 seconds for the result."""
        return translated(await create(context.waiting(WAIT_S), PIPELINE_FORM), legacy_image)

    @get(IMAGES, dependencies=LISTED)
    async def list_images(
        self,
        context: NamedDependency[RequestContext],
        filtered_by: NamedDependency[Filter],
        page: NamedDependency[PageRequest],
    ) -> Response[list[LegacyImage]]:
        """List the caller's images, newest first without `sort`."""
        found, headers = await image_pages.found(context, filtered_by, page)
        views = await image_views.views_of(found, context.addresses)
        return Response([legacy_image(view) for view in views], headers=headers)

    @get(IMAGE)
    async def get_image(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> LegacyImage:
        """Get one image, with its newest result."""
        return await _legacy_image(image_id, context)

    @post(IMAGE, opt=needs(Scope.IMAGES_READ), status_code=HTTP_200_OK)
    async def get_image_by_post(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> LegacyImage:
        """Get one image, with its newest result."""
        return await _legacy_image(image_id, context)

    @patch(IMAGE, status_code=HTTP_200_OK, request_max_body_size=None)
    async def change(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Response[LegacyImage] | Response[JobView]:
        """Change an image as with `PATCH /api/images/{image_id}`."""
        return translated(await change_image(image_id, context), legacy_image)

    @put(IMAGE, status_code=HTTP_200_OK, request_max_body_size=None)
    async def replace(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Response[LegacyImage] | Response[JobView]:
        """Fetch an image's bytes again, as with `PUT /api/images/{image_id}`."""
        return translated(await replace_image.replace(image_id, context.waiting(WAIT_S)), legacy_image)

    @delete(IMAGE, status_code=HTTP_200_OK)
    async def remove(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Confirmation:
        """Delete an image and its file, and cancel its jobs."""
        return await delete_image(image_id, context)

    @post(f"{IMAGE}/download", opt=needs(Scope.IMAGES_READ), status_code=HTTP_200_OK)
    async def download(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Response[Any]:
        """Download the newest result, as with `GET`."""
        return await download_image(image_id, "latest", context)


async def _legacy_image(image_id: UUID, context: RequestContext) -> LegacyImage:
    image = await images.owned_by(context.caller.id, image_id)
    return legacy_image(await image_views.view_of(image, context.addresses))
