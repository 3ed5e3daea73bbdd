"""The addresses and shapes that clients of older services know: thin translations onto the API.

`/accounts` and `/api/images` are shared with it: their answers carry the older names beside ours, and
`apps.api.creation` takes the older uploads too.
"""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.exceptions import ValidationException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED, HTTP_205_RESET_CONTENT
from litestar.types import Method
from litestar.types.internal_types import PathParameterDefinition
from msgspec import Struct

from apps.api import auth, delivery, present
from apps.api.accept import BadUpload, Form, FormShape, received_form
from apps.api.accounts import logged_in, logged_out, registered
from apps.api.answers import in_progress
from apps.api.asked import Asked
from apps.api.batch_views import batch_view
from apps.api.batches import take
from apps.api.creation import create, metadata_of, receive
from apps.api.editing import replace_and_edit
from apps.api.json_body import is_json, received_json
from apps.api.listing import Limit, listed
from apps.api.old_operations import Canvas, Size, Transformations, as_operations, read_transformations
from apps.api.openapi import (
    BEARER,
    BatchOperation,
    OldEditOperation,
    OldTransformOperation,
    OldUploadOperation,
)
from apps.api.request_log import request_id
from apps.api.waiting import done_in_time, prefer_wait_s
from libs import ingest, intake, retention
from libs.backends import Backends
from libs.contracts.views import (
    BatchView,
    Done,
    ImageView,
    JobView,
    Login,
    RefreshRequest,
    Register,
    Registered,
    Tokens,
)
from libs.contracts.words import Retention
from libs.imaging.errors import AssetMissing
from libs.imaging.orientation import turned_size
from libs.ingest import Wanted
from libs.storage import batches, images
from libs.storage.images import Filter, ImageNotReady
from libs.storage.tables import BaseUser, Image, Job

TAGS = ("Compatibility",)
WAIT_S = 30.0
LINK_S = 604_800  # of an upload's own link, as long as an object store signs one
PARTS = ("image", "watermark")  # a file that its form's fields may name, or leave unnamed


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


class Transformed(Struct, frozen=True, kw_only=True):
    """The result of a transformation, by a link that ends after `expires_in` seconds."""

    message: str
    transformed_image_url: str
    expires_in: int


class OldTransform(Struct, frozen=True, kw_only=True):
    """One transformation by its type, or several by their types as names of the parameters."""

    transformation_type: str | None = None
    transformation_parameters: Any = None
    transformations: Any = None


class OldAccounts(Controller):
    """Accounts, as older services called them."""

    tags = TAGS

    @post(["/api/register", "/users/register"])
    async def register(self, data: JSONBody[Register]) -> Registered:
        """As `POST /accounts/register`."""
        return await registered(data)

    @post(["/api/login", "/api/token"], status_code=HTTP_200_OK, opt={"login": True})
    async def login(self, data: JSONBody[Login], backends: NamedDependency[Backends]) -> Tokens:
        """As `POST /accounts/login`."""
        return await logged_in(data, backends)

    @post("/api/token/refresh", status_code=HTTP_200_OK)
    async def refresh(self, data: JSONBody[RefreshRequest], backends: NamedDependency[Backends]) -> Tokens:
        """As `POST /accounts/refresh`: a token sent as `refresh` stays good."""
        return await auth.renewed(data, backends.settings)

    @post("/account/logout", status_code=HTTP_205_RESET_CONTENT)
    async def logout(
        self, data: JSONBody[RefreshRequest], backends: NamedDependency[Backends]
    ) -> Response[None]:
        """As `POST /accounts/logout`."""
        return await logged_out(data, backends)


class OldBatches(Controller):
    """CSV files, as an older service called them."""

    tags = TAGS
    security = BEARER

    @post(
        ["/upload", "/api/upload"],
        operation_class=BatchOperation,
        status_code=HTTP_202_ACCEPTED,
        request_max_body_size=None,
    )
    async def upload(self, asked: NamedDependency[Asked]) -> Response[BatchView]:
        """As `POST /api/batches`."""
        return await take(asked)

    @get(["/status/{batch_id:uuid}", "/api/status/{batch_id:uuid}"])
    async def status(self, batch_id: FromPath[UUID], asked: NamedDependency[Asked]) -> BatchView:
        """How far a batch is."""
        batch = await batches.owned_by(asked.caller.id, batch_id)
        return batch_view(batch, asked.at)


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
        asked = asked.waiting(WAIT_S)
        image = await images.owned_by(asked.caller.id, image_id)
        if is_json(asked.request):
            body, _ = await received_json(asked.request, OldTransform, for_bytes=0)
            return await _transformed(image, body, Form({}, {}), asked)
        shape = FormShape(
            files=PARTS,
            fields=OldTransform.__struct_fields__,
            max_file_bytes=asked.settings.max_upload_bytes,
            more_files=_named_part,
        )
        async with received_form(asked.request, asked.backends.scratch, shape) as form:
            return await _transformed(image, _of_fields(form.fields), form, asked)


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


async def _transformed(
    image: Image, body: OldTransform, form: Form, asked: Asked
) -> Response[Transformed] | Response[JobView]:
    wanted = _wanted(body)
    wait_s = prefer_wait_s(asked)
    canvas = await _canvas(image, wanted, asked)
    async with _mark(wanted, form, asked) as mark:
        job = await intake.transform(
            image,
            asked.caller,
            _translated(wanted, mark, canvas),
            asked.backends,
            retention=Retention.EPHEMERAL,
            request_id=request_id(),
        )
    done = await done_in_time(job, asked.live, wait_s)
    if done is None or done.result is None:
        return in_progress(asked, job)
    result = await images.owned_by(asked.caller.id, done.result)
    link = delivery.link_to(result, asked.settings, asked.at, expires_in=None)
    answer = Transformed(
        message="Image transformation successful.",
        transformed_image_url=link.url,
        expires_in=link.expires_in,
    )
    return Response(answer, status_code=HTTP_200_OK)


async def _canvas(image: Image, wanted: Transformations, asked: Asked) -> Canvas | None:
    """What a crop is cut from, where it may reach beyond that; else None.

    Raises:
        JobFailed: The image is damaged.
        ImageNotReady: It is not described in time.
    """
    shortest = min(image.width, image.height)  # what lies within lies within a turned image too
    within = wanted.resize or Size(width=shortest, height=shortest)
    if wanted.crop is None or not wanted.crop.beyond(within):
        return None
    told = await metadata_of(image, asked)
    if isinstance(told, Job):
        raise ImageNotReady("Image not ready: it is still being described; ask again")
    width, height = turned_size((told.width, told.height), told.orientation)
    return Canvas(size=wanted.resize or Size(width=width, height=height), has_alpha=told.has_alpha)


@asynccontextmanager
async def _mark(wanted: Transformations, form: Form, asked: Asked) -> AsyncGenerator[UUID | None]:
    """The image to lay over another; an uploaded one goes again should the block fail.

    Raises:
        AssetMissing: It is neither an id, nor a URL, nor a part of the form.
        ImageNotReady: Its URL does not answer in time.
        JobFailed: What its URL holds is no image.
    """
    if wanted.watermark is None:
        yield None
        return
    name = wanted.watermark.image
    file = form.files.get(name) or (form.files.get("watermark") if name == "image" else None)
    if file is None:
        yield _id_of(name) or await _fetched(name, asked)
        return
    image, _ = await intake.store_upload(
        await receive(asked, file),
        asked.caller,
        asked.backends,
        operations=None,
        retention=Retention.EPHEMERAL,
        request_id=request_id(),
    )
    try:
        yield image.id
    except BaseException:
        await retention.delete(image, asked.caller, asked.backends)
        raise


async def _fetched(url: str, asked: Asked) -> UUID:
    if not url.startswith(("http://", "https://", "data:")):
        raise AssetMissing(url)
    wanted = Wanted(url=url, retention=Retention.EPHEMERAL)
    job = await ingest.ingest(wanted, asked.caller, asked.backends, request_id=request_id())
    done = await done_in_time(job, asked.live, asked.wait_s)
    if done is None or done.result is None:
        raise ImageNotReady("Image not ready: the watermark is still being fetched; ask again")
    return done.result


def _id_of(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


def _wanted(body: OldTransform) -> Transformations:
    parameters = body.transformation_parameters
    try:
        return read_transformations(
            body.transformation_type, parameters if body.transformations is None else body.transformations
        )
    except msgspec.ValidationError as error:
        raise ValidationException(
            extra=[{"key": "transformation_parameters", "message": str(error)}]
        ) from error


def _translated(wanted: Transformations, mark: UUID | None, canvas: Canvas | None) -> Any:  # noqa: ANN401
    try:
        return as_operations(wanted, mark, canvas)
    except msgspec.ValidationError as error:
        raise ValidationException(
            extra=[{"key": "transformation_parameters", "message": str(error)}]
        ) from error


def _of_fields(fields: Mapping[str, str]) -> OldTransform:
    """A form's fields; parameters are JSON, or a bare word such as `png`."""
    kind = fields.get("transformation_type")
    values = {name: _json_or_word(text) for name, text in fields.items() if name != "transformation_type"}
    return OldTransform(transformation_type=kind, **values)


def _json_or_word(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _named_part(fields: Mapping[str, str]) -> Collection[str]:
    """The file that the fields before it speak of."""
    try:
        mark = _wanted(_of_fields(fields)).watermark
    except ValidationException as error:
        raise BadUpload("a file comes after the fields that name it") from error
    return () if mark is None else (mark.image,)
