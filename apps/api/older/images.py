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

from apps.api import delivery, present
from apps.api.asked import Asked
from apps.api.creation import create
from apps.api.editing import replace_and_edit
from apps.api.listing import Limit, listed
from apps.api.older import TAGS
from apps.api.older.transform import Transformed, transformed
from apps.api.openapi import BEARER, OldEditOperation, OldTransformOperation, OldUploadOperation
from libs import retention
from libs.backends import Backends
from libs.contracts.views import Done, ImageView, JobView
from libs.storage import images
from libs.storage.images import Filter
from libs.storage.tables import BaseUser

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
    async def upload(self, asked: NamedDependency[Asked]) -> Response[Any]:
        """As `POST /api/images`."""
        return _old_answer(await create(asked), asked)

    @get("/images")
    async def list_images(
        self, asked: NamedDependency[Asked], after: FromQuery[UUID | None] = None, limit: Limit = 20
    ) -> Response[list[OldImage]]:
        """As `GET /api/images`: the caller's images, newest first."""
        found, total = await images.page(asked.caller.id, Filter(), limit=limit, after=after)
        views = [_old_view(view, asked) for view in await present.image_views(found, asked.at)]
        return listed(views, asked, total=total, limit=limit)

    @patch(
        ["/images", "/api/images/images"],
        operation_class=OldEditOperation,
        operation_id=named_by_path,
        status_code=HTTP_202_ACCEPTED,
        request_max_body_size=None,
    )
    async def edit_newest(self, asked: NamedDependency[Asked]) -> Response[Any]:
        """Let another image take the place of the caller's newest upload, and edit it by the prompt."""
        return _old_answer(await replace_and_edit(await images.newest_upload(asked.caller.id), asked), asked)

    @patch(
        "/api/images/images/{image_id:uuid}",
        operation_class=OldEditOperation,
        operation_id=named_by_path,
        status_code=HTTP_202_ACCEPTED,
        request_max_body_size=None,
    )
    async def edit_again(self, image_id: FromPath[UUID], asked: NamedDependency[Asked]) -> Response[Any]:
        """As `PATCH /api/images/{image_id}` with a form."""
        image = await images.owned_by(asked.caller.id, image_id)
        return _old_answer(await replace_and_edit(image, asked), asked)

    @delete(
        ["/images/{image_id:uuid}", "/api/images/images/{image_id:uuid}"],
        operation_id=named_by_path,
        status_code=HTTP_200_OK,
    )
    async def remove(
        self, image_id: FromPath[UUID], caller: NamedDependency[BaseUser], backends: NamedDependency[Backends]
    ) -> Done:
        """As `DELETE /api/images/{image_id}`."""
        await retention.delete(await images.owned_by(caller.id, image_id), caller, backends)
        return Done(message="Image deleted successfully.")

    @post(
        "/images/{image_id:uuid}/transform",
        operation_class=OldTransformOperation,
        status_code=HTTP_200_OK,
        request_max_body_size=None,
    )
    async def transform(
        self, image_id: FromPath[UUID], asked: NamedDependency[Asked]
    ) -> Response[Transformed] | Response[JobView]:
        """Transform an image and wait for it, for up to 30 seconds; then 202 with the job in `Location`."""
        image = await images.owned_by(asked.caller.id, image_id)
        return await transformed(image, asked.waiting(WAIT_S))


def _old_answer(answer: Response[Any], asked: Asked) -> Response[Any]:
    """An answer of the API with the older names; one that is given again is JSON already."""
    view = answer.content
    if isinstance(view, msgspec.Raw):
        with suppress(msgspec.ValidationError):  # then it is a job, and stays one
            view = msgspec.json.decode(view, type=ImageView)
    if isinstance(view, ImageView):
        view = _old_view(view, asked)
    return Response(view, status_code=answer.status_code, headers=answer.headers)


def _old_view(view: ImageView, asked: Asked) -> OldImage:
    link = delivery.link_of(view.id, view.expires_at, asked.settings, asked.at, expires_in=LINK_S)
    return OldImage(**msgspec.structs.asdict(view), original_url=link.url, file_type=view.format)
