"""Routes for the addresses of an image, and for what is stored of them."""

from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK

from apps.api.context import RequestContext
from apps.api.middleware.key_access import needs
from apps.api.openapi.document import BEARER
from apps.api.responses.lists import Limit, listed
from libs.contracts.enums import Scope
from libs.contracts.views.image_urls import ImageUrls, RenditionView, UrlsRequest
from libs.delivery import purge
from libs.delivery.image_urls import MakeUrls, make_urls
from libs.delivery.steps import format_steps
from libs.storage import images, renditions
from libs.storage.database.delivery_tables import Rendition


class ImageUrlRoutes(Controller):
    """Addresses of images, and their stored renditions."""

    path = "/api/images/{image_id:uuid}"
    tags = ("Delivery",)
    security = BEARER
    opt = needs(Scope.IMAGES_READ, Scope.IMAGES_WRITE)

    @post("/urls", operation_id="createImageUrls", status_code=HTTP_200_OK, opt=needs(Scope.IMAGES_READ))
    async def urls(
        self,
        image_id: FromPath[UUID],
        data: JSONBody[UrlsRequest],
        context: NamedDependency[RequestContext],
    ) -> ImageUrls:
        """Make addresses that show an image to everybody: one, a `srcset`, and a `<picture>`.

        They are signed by the account's newest delivery key, else by the operator's first, else by a key that
        is made for the account. A public preset of a public image needs no signature.
        """
        command = MakeUrls(
            owner=context.caller,
            image=await images.owned_by(context.caller.id, image_id),
            steps=data.steps if data.operations is None else format_steps(data.operations),
            preset=data.preset,
            widths=data.widths,
            formats=data.formats,
            expires_in=data.expires_in,
            alt=data.alt,
            sizes=data.sizes,
        )
        return await make_urls(command, context.base_url, context.backends)

    @get("/renditions", operation_id="listRenditions")
    async def list_renditions(
        self,
        image_id: FromPath[UUID],
        context: NamedDependency[RequestContext],
        after: FromQuery[UUID | None] = None,
        limit: Limit = 20,
    ) -> Response[list[RenditionView]]:
        """List what is stored of the image's addresses, newest first."""
        image = await images.owned_by(context.caller.id, image_id)
        found, total = await renditions.page_of_image(image.id, limit=limit, after=after)
        return listed([_view(row) for row in found], context, total=total, limit=limit)

    @delete("/renditions", operation_id="deleteRenditions")
    async def remove(self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]) -> None:
        """Delete what is stored of the image's addresses. The next request for one renders it again."""
        image = await images.owned_by(context.caller.id, image_id)
        await purge.renditions_of_image(image.id, context.backends)


def _view(row: Rendition) -> RenditionView:
    return RenditionView(
        id=row.id,
        preset=row.preset,
        format=row.format,
        width=row.width,
        height=row.height,
        size_bytes=row.size_bytes,
        created_at=row.created_at,
        last_used_at=row.used_at,
    )
