"""One call that transforms an image and answers with a link to the result."""

from collections.abc import AsyncGenerator, Collection, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response
from litestar.exceptions import ValidationException
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct

from apps.api import delivery
from apps.api.accept import BadUpload, Form, FormShape, received_form
from apps.api.answers import in_progress
from apps.api.asked import Asked
from apps.api.creation import metadata_of, receive
from apps.api.json_body import is_json, received_json
from apps.api.older.operations import Canvas, Size, Transformations, as_operations, read_transformations
from apps.api.request_log import request_id
from apps.api.waiting import done_in_time, prefer_wait_s
from libs import ingest, intake, retention
from libs.contracts.views import JobView, Operations
from libs.contracts.words import Retention
from libs.imaging.errors import AssetMissing
from libs.imaging.orientation import turned_size
from libs.ingest import Wanted
from libs.storage import images
from libs.storage.images import ImageNotReady
from libs.storage.tables import Image, Job

PARTS = ("image", "watermark")  # a file that its form's fields may name, or leave unnamed


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


async def transformed(image: Image, asked: Asked) -> Response[Transformed] | Response[JobView]:
    """Transform it as the body says, JSON or a form, and answer with a link; or with the job in progress."""
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
    with _refused():
        return read_transformations(
            body.transformation_type, parameters if body.transformations is None else body.transformations
        )


def _translated(wanted: Transformations, mark: UUID | None, canvas: Canvas | None) -> Operations:
    with _refused():
        return as_operations(wanted, mark, canvas)


@contextmanager
def _refused() -> Generator[None]:
    """What older words do not allow leaves as the request's fault."""
    try:
        yield
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
