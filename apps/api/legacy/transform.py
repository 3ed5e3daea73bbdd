"""A request that transforms an image, waits, and answers with a link to the result."""

from collections.abc import AsyncGenerator, Collection, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response
from litestar.exceptions import ValidationException
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct

from apps.api.context import RequestContext, job_options
from apps.api.legacy.parameters import Size, Transformations
from apps.api.legacy.transformations import Canvas, as_operations, read_transformations
from apps.api.responses import files
from apps.api.responses.job_responses import in_progress
from apps.api.responses.waiting import done_in_time, prefer_wait_s
from apps.api.uploads.describe_image import metadata_of
from apps.api.uploads.errors import BadUpload
from apps.api.uploads.json_body import is_json, received_json
from apps.api.uploads.multipart_form import Form, FormShape, received_form
from apps.api.uploads.received_files import store_ephemeral
from libs.contracts.commands import IngestSource
from libs.contracts.enums import Retention
from libs.contracts.json_text import decode_json
from libs.contracts.views.jobs import JobView
from libs.contracts.views.request_body import Operations
from libs.images import expiry
from libs.images.from_url import FetchImage, fetch_image
from libs.images.transform import TransformStored
from libs.images.transform import transform as transform_image
from libs.imaging.errors import AssetMissing
from libs.imaging.orientation import upright_size
from libs.storage import images
from libs.storage.database.tables import Image, Job
from libs.storage.image_errors import ImageNotReady

WATERMARK_PARTS = ("image", "watermark")  # names that the form may use without naming them in a field


class Transformed(Struct, frozen=True, kw_only=True):
    """A link to the result of a transformation, which expires after `expires_in` seconds."""

    message: str
    """What was done."""
    transformed_image_url: str
    """An address of the result that needs no token."""
    expires_in: int
    """Seconds until the address ends."""


class TransformBody(Struct, frozen=True, kw_only=True):
    """One transformation by its type, or several whose types are the names of the parameters."""

    transformation_type: str | None = None
    """The transformation; without it, the parameters name several."""
    transformation_parameters: Any = None
    """Its parameters, or the parameters of several by their names."""
    transformations: Any = None
    """The parameters of several transformations by their names."""


async def transform(image: Image, context: RequestContext) -> Response[Transformed] | Response[JobView]:
    """Transform an image by JSON or a form. Answer with a link, or with the job if it takes longer."""
    if is_json(context.request):
        body, _ = await received_json(context.request, TransformBody)
        return await _transformed(image, body, Form({}, {}), context)
    shape = FormShape(
        files=WATERMARK_PARTS,
        fields=TransformBody.__struct_fields__,
        max_file_bytes=context.settings.max_upload_bytes,
        named_files=_named_part,
    )
    async with received_form(context.request, context.backends.scratch, shape) as form:
        return await _transformed(image, _of_fields(form.fields), form, context)


async def _transformed(
    image: Image, body: TransformBody, form: Form, context: RequestContext
) -> Response[Transformed] | Response[JobView]:
    requested = _requested(body)
    wait_s = prefer_wait_s(context)
    canvas = await _canvas(image, requested, context)
    async with _watermark(requested, form, context) as watermark_id:
        command = TransformStored(
            owner=context.caller,
            image=image,
            operations=_translated(requested, watermark_id, canvas),
            options=job_options(),
        )
        job = await transform_image(command, context.backends)
    done = await done_in_time(job, context.event_streams, wait_s)
    if done is None or done.result is None:
        return in_progress(context, job)
    result = await images.owned_by(context.caller.id, done.result)
    link = files.link_to(result, context.settings, context.base_url, expires_in=None)
    transformed = Transformed(
        message="Image transformation successful.",
        transformed_image_url=link.url,
        expires_in=link.expires_in,
    )
    return Response(transformed, status_code=HTTP_200_OK)


async def _canvas(image: Image, requested: Transformations, context: RequestContext) -> Canvas | None:
    """Return the image that a crop is cut from; None if the crop lies within the image.

    Raises:
        JobFailed: The image is damaged.
        ImageNotReady: The image is not described in time.
    """
    shortest = min(image.width, image.height)  # the orientation may exchange width and height
    within = requested.resize or Size(width=shortest, height=shortest)
    if requested.crop is None or not requested.crop.beyond(within):
        return None
    metadata = await metadata_of(image, context)
    if isinstance(metadata, Job):
        raise ImageNotReady("Image not ready: it is still being described; try again")
    width, height = upright_size((metadata.width, metadata.height), metadata.orientation)
    return Canvas(size=requested.resize or Size(width=width, height=height), has_alpha=metadata.has_alpha)


@asynccontextmanager
async def _watermark(
    requested: Transformations, form: Form, context: RequestContext
) -> AsyncGenerator[UUID | None]:
    """Provide the id of the watermark's image. An uploaded one is deleted if the block fails.

    Raises:
        AssetMissing: The watermark is neither an id, nor a URL, nor a file of the form.
        ImageNotReady: Its URL is not fetched in time.
        JobFailed: Its URL has no valid image.
    """
    if requested.watermark is None:
        yield None
        return
    name = requested.watermark.image
    file = form.files.get(name) or (form.files.get("watermark") if name == "image" else None)
    if file is None:
        yield _as_id(name) or await _fetched(name, context)
        return
    image = await store_ephemeral(file, context)
    try:
        yield image.id
    except BaseException:
        await expiry.discard(image, context.caller, context.backends)
        raise


async def _fetched(url: str, context: RequestContext) -> UUID:
    if not url.startswith(("http://", "https://", "data:")):
        raise AssetMissing(url)
    command = FetchImage(
        owner=context.caller,
        source=IngestSource(url=url),
        options=job_options(),
        retention=Retention.EPHEMERAL,
    )
    job = await fetch_image(command, context.backends)
    done = await done_in_time(job, context.event_streams, context.wait_s)
    if done is None or done.result is None:
        raise ImageNotReady("Image not ready: the watermark is still being fetched; try again")
    return done.result


def _as_id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


def _requested(body: TransformBody) -> Transformations:
    parameters = body.transformation_parameters
    with _as_invalid_request():
        return read_transformations(
            body.transformation_type, parameters if body.transformations is None else body.transformations
        )


def _translated(requested: Transformations, watermark_id: UUID | None, canvas: Canvas | None) -> Operations:
    with _as_invalid_request():
        return as_operations(requested, watermark_id, canvas)


@contextmanager
def _as_invalid_request() -> Generator[None]:
    """Turn an invalid transformation into a 400 that names the field."""
    try:
        yield
    except msgspec.ValidationError as error:
        raise ValidationException(
            extra=[{"key": "transformation_parameters", "message": str(error)}]
        ) from error


def _of_fields(fields: Mapping[str, str]) -> TransformBody:
    """Read the fields of a form. Parameters are JSON, or a plain word such as `png`."""
    kind = fields.get("transformation_type")
    values = {name: _json_or_text(text) for name, text in fields.items() if name != "transformation_type"}
    return TransformBody(transformation_type=kind, **values)


def _json_or_text(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return decode_json(text, object)
    except msgspec.DecodeError:
        return text


def _named_part(fields: Mapping[str, str]) -> Collection[str]:
    """Return the name of the file that the preceding fields refer to."""
    try:
        watermark = _requested(_of_fields(fields)).watermark
    except ValidationException as error:
        raise BadUpload("a file must follow the fields that name it") from error
    return () if watermark is None else (watermark.image,)
