"""Images, as older services called them."""

from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition

from apps.api.context import RequestContext
from apps.api.legacy import TAGS
from apps.api.legacy.transform import Transformed, transformed
from apps.api.openapi.document import BEARER, OldEditOperation, OldTransformOperation, OldUploadOperation
from apps.api.responses import files, image_views
from apps.api.responses.lists import Limit, listed
from apps.api.uploads.create_image import create
from apps.api.uploads.edit_image import replace_and_edit
from libs.backends import Backends
from libs.contracts.views.images import Confirmation, ImageView
from libs.contracts.views.jobs import JobView
from libs.images import expiry
from libs.storage import image_list, images
from libs.storage.database.tables import BaseUser
from libs.storage.image_list import Filter

WAIT_S = 30.0
LINK_S = 604_800  # of an upload's own link, as long as an object store signs one


def named_by_path(
    handler: HTTPRouteHandler, method: Method, path: list[str | PathParameterDefinition]
) -> str:
    """The id of an operation in the API's description; several of ours share a handler."""
    words = [part if isinstance(part, str) else part.name for part in path]
    return "".join(word.title().replace("_", "") for word in ("old", *words, handler.handler_name))


class OldImage(ImageView, frozen=True, kw_only=True):
    """An image, with a link that opens without a token."""

    original_url: str
    file_type: str


class OldImages(Controller):
    """Images, as older services called them."""

    tags = TAGS
    security = BEARER

    @post(
        ["/images", "/api/images/images"],
        operation_class=OldUploadOperation,
        status_code=HTTP_201_CREATED,
        request_max_body_size=None,
    )
    async def upload(self, context: NamedDependency[RequestContext]) -> Response[Any]:
        """As `POST /api/images`."""
        return _old_answer(await create(context), context)

    @get("/images")
    async def list_images(
        self,
        context: NamedDependency[RequestContext],
        after: FromQuery[UUID | None] = None,
        limit: Limit = 20,
    ) -> Response[list[OldImage]]:
        """As `GET /api/images`: the caller's images, newest first."""
        found, total = await image_list.page(context.caller.id, Filter(), limit=limit, after=after)
        views = [_old_view(view, context) for view in await image_views.views_of(found, context.base_url)]
        return listed(views, context, total=total, limit=limit)

    @patch(
        ["/images", "/api/images/images"],
        operation_class=OldEditOperation,
        operation_id=named_by_path,
        status_code=HTTP_202_ACCEPTED,
        request_max_body_size=None,
    )
    async def edit_newest(self, context: NamedDependency[RequestContext]) -> Response[Any]:
        """Let another image take the place of the caller's newest upload, and edit it by the prompt."""
        return _old_answer(
            await replace_and_edit(await images.newest_upload(context.caller.id), context), context
        )

    @patch(
        "/api/images/images/{image_id:uuid}",
        operation_class=OldEditOperation,
        operation_id=named_by_path,
        status_code=HTTP_202_ACCEPTED,
        request_max_body_size=None,
    )
    async def edit_again(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Response[Any]:
        """As `PATCH /api/images/{image_id}` with a form."""
        image = await images.owned_by(context.caller.id, image_id)
        return _old_answer(await replace_and_edit(image, context), context)

    @delete(
        ["/images/{image_id:uuid}", "/api/images/images/{image_id:uuid}"],
        operation_id=named_by_path,
        status_code=HTTP_200_OK,
    )
    async def remove(
        self, image_id: FromPath[UUID], caller: NamedDependency[BaseUser], backends: NamedDependency[Backends]
    ) -> Confirmation:
        """As `DELETE /api/images/{image_id}`."""
        await expiry.delete(await images.owned_by(caller.id, image_id), caller, backends)
        return Confirmation(message="Image deleted successfully.")

    @post(
        "/images/{image_id:uuid}/transform",
        operation_class=OldTransformOperation,
        status_code=HTTP_200_OK,
        request_max_body_size=None,
    )
    async def transform(
        self, image_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Response[Transformed] | Response[JobView]:
        """Transform an image and wait for it, for up to 30 seconds; then 202 with the job in `Location`."""
        image = await images.owned_by(context.caller.id, image_id)
        return await transformed(image, context.waiting(WAIT_S))


def _old_answer(answer: Response[Any], context: RequestContext) -> Response[Any]:
    """An answer of the API with the older names; one that is given again is JSON already."""
    view = answer.content
    if isinstance(view, msgspec.Raw):
        with suppress(msgspec.ValidationError):  # then it is a job, and stays one
            view = msgspec.json.decode(view, type=ImageView)
    if isinstance(view, ImageView):
        view = _old_view(view, context)
    return Response(view, status_code=answer.status_code, headers=answer.headers)


def _old_view(view: ImageView, context: RequestContext) -> OldImage:
    link = files.link_of(view.id, view.expires_at, context.settings, context.base_url, expires_in=LINK_S)
    return OldImage(**msgspec.structs.asdict(view), original_url=link.url, file_type=view.format)
