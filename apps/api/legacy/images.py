"""`/images` and `/api/images/images`: uploads, edits and transformations of older clients."""

from typing import Any
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED

from apps.api.context import RequestContext
from apps.api.legacy import TAGS
from apps.api.legacy.image_views import LinkedImage, linked_image, translated
from apps.api.legacy.pipelines import PIPELINE_FORM
from apps.api.legacy.transform import Transformed, transform
from apps.api.middleware.key_access import needs
from apps.api.middleware.query_parameters import ANY_PARAMETERS
from apps.api.openapi.document import BEARER
from apps.api.responses import image_views
from apps.api.responses.lists import Limit, listed
from apps.api.routes.images import WAIT_S
from apps.api.uploads.create_image import create
from apps.api.uploads.edit_image import replace_and_edit
from libs.contracts.enums import Scope
from libs.contracts.views.images import Confirmation
from libs.contracts.views.jobs import JobView
from libs.images import expiry
from libs.storage import image_list, images
from libs.storage.database.tables import Image
from libs.storage.image_list import Filter, Place


class LegacyImages(Controller):
    """Images for older clients at the addresses that they alone use."""

    tags = TAGS
    security = BEARER
    opt = needs(Scope.IMAGES_READ, Scope.IMAGES_WRITE) | ANY_PARAMETERS

    @post(
        ["/images", "/api/images/images"],
        status_code=HTTP_201_CREATED,
        request_max_body_size=None,
    )
    async def upload(self, context: NamedDependency[RequestContext]) -> Response[Any]:
        """Upload an image as with `POST /api/images`."""
        return _with_link(await create(context, PIPELINE_FORM), context)

    @get("/images")
    async def list_images(
        self,
        context: NamedDependency[RequestContext],
        after: FromQuery[UUID | None] = None,
        limit: Limit = 20,
    ) -> Response[list[LinkedImage]]:
        """List the caller's images, newest first."""
        place = None if after is None else Place(after)
        found, total = await image_list.page(context.caller.id, Filter(), limit=limit, after=place)
        views = await image_views.views_of(found, context.addresses)
        return listed([linked_image(view, context) for view in views], context, total=total, limit=limit)

    @patch(
        ["/images", "/api/images/images"],
        status_code=HTTP_202_ACCEPTED,
        request_max_body_size=None,
    )
    async def edit_newest(self, context: NamedDependency[RequestContext]) -> Response[Any]:
        """Replace the caller's newest upload by the form's image, and edit it."""
        return await _edited(await images.newest_upload(context.caller.id), context)

    @patch(
        "/api/images/images/{image_id:uuid}",
        status_code=HTTP_202_ACCEPTED,
        request_max_body_size=None,
    )
    async def edit_again(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Response[Any]:
        """Replace an image by the form's image, and edit it."""
        return await _edited(await images.owned_by(context.caller.id, image_id), context)

    @delete(
        ["/images/{image_id:uuid}", "/api/images/images/{image_id:uuid}"],
        status_code=HTTP_200_OK,
    )
    async def remove(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Confirmation:
        """Delete an image and its file, and cancel its jobs."""
        image = await images.owned_by(context.caller.id, image_id)
        await expiry.delete(image, context.caller, context.backends)
        return Confirmation(message="Image deleted successfully.")

    @post(
        "/images/{image_id:uuid}/transform",
        status_code=HTTP_200_OK,
        request_max_body_size=None,
    )
    async def transform(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Response[Transformed] | Response[JobView]:
        """Transform an image and wait up to 30 seconds for it; then 202 with the job in `Location`."""
        image = await images.owned_by(context.caller.id, image_id)
        return await transform(image, context.waiting(WAIT_S))


async def _edited(image: Image, context: RequestContext) -> Response[Any]:
    return _with_link(await replace_and_edit(image, context), context)


def _with_link(response: Response[Any], context: RequestContext) -> Response[Any]:
    return translated(response, lambda view: linked_image(view, context))
