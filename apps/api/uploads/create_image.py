"""`POST /api/images`: an image comes as a form, or as JSON that names its URL."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from litestar import Response
from msgspec import Struct

from apps.api.context import RequestContext
from apps.api.middleware.idempotency import fingerprint, once, required
from apps.api.problems import JobFailed
from apps.api.responses.job_responses import created, generated, ingested, with_stream
from apps.api.uploads.direct_upload import claimed_file
from apps.api.uploads.edit_fields import edit_of, require_edits_of
from apps.api.uploads.errors import BadUpload
from apps.api.uploads.image_request import (
    ImageRequest,
    form_shape,
    request_of_form,
    request_of_json,
    request_of_token,
    require_format,
    require_upload_alone,
)
from apps.api.uploads.json_body import ImageJson, is_json, received_image_json
from apps.api.uploads.multipart_form import ReceivedFile, received_form
from apps.api.uploads.received_files import checked_upload, data_url_file, stored_parts
from apps.api.uploads.upload_form import UPLOAD_FORM, UploadForm
from libs.contracts.commands import IngestSource
from libs.contracts.edits import Edit
from libs.contracts.enums import JobKind, JobStatus, Retention
from libs.contracts.views.images import ImageFromUrl, ImageView
from libs.contracts.views.jobs import JobView
from libs.edits.submit_edit import EditStored, edit_image
from libs.images import direct_upload, retention
from libs.images.from_url import FetchImage, fetch_image
from libs.images.render_ahead import render_ahead
from libs.images.transform import TransformStored, transform
from libs.images.upload import CreateImage, create_image
from libs.outbound import is_data_url
from libs.storage import image_sources, images, jobs, upload_tokens
from libs.storage.database.tables import Image, Job
from libs.storage.database.upload_tables import DirectUpload
from libs.storage.idempotency import Effect, Reservation
from libs.storage.image_errors import ImageNotFound


class StoredImage(Struct, frozen=True):
    """An image that is stored, with the job that the client waits for."""

    image: Image
    job: Job | None
    is_new: bool
    existed: bool = False  # before this request, so other jobs may work on it


Made: TypeAlias = StoredImage | Job
"""A job makes its image later."""


async def create(
    context: RequestContext, upload_form: UploadForm = UPLOAD_FORM
) -> Response[ImageView] | Response[JobView]:
    """Store or fetch an image, and queue what is requested of it."""
    if is_json(context.request):
        return await _from_json(context)
    return await _from_form(context, upload_form)


async def _from_form(
    context: RequestContext, upload_form: UploadForm
) -> Response[ImageView] | Response[JobView]:
    backends, token = context.backends, context.upload_token
    if token is not None and "idempotency-key" not in context.request.headers:
        upload_tokens.require_left(token)  # a repeated request finds what the first one made
    shape = form_shape(upload_form, token, backends.settings)
    async with received_form(context.request, backends.scratch, shape) as form:
        has_prompt = "prompt" in form.fields
        if has_prompt:
            require_edits_of(context)
        file = upload_form.image(form, required=not has_prompt)
        digests = sorted((name, part.md5) for name, part in form.files.items())
        filename = file.filename if file else None
        request_hash = fingerprint(context.request, digests, filename, *sorted(form.fields.items()))

        async def make(reservation: Reservation | None) -> Made:
            if token is not None and file is not None:
                return await _store(file, request_of_token(token, reservation), context)
            async with stored_parts(form, context, besides=upload_form.image_names) as parts:
                request = await request_of_form(
                    form, parts, upload_form, reservation, owner=context.caller.id
                )
                if file is None:
                    return await _generate(request, context)
                return await _store(file, request, context)

        return await _once(context, request_hash, make)


async def _from_json(context: RequestContext) -> Response[ImageView] | Response[JobView]:
    async with received_image_json(context, ImageFromUrl) as received:
        return await _of_json(received, context)


async def _of_json(
    received: ImageJson[ImageFromUrl], context: RequestContext
) -> Response[ImageView] | Response[JobView]:
    body = received.body
    token = context.upload_token
    if token is not None:
        require_upload_alone(body)
    edit = edit_of(body)
    if edit is not None:
        require_edits_of(context)

    async def make(reservation: Reservation | None) -> Made:
        if token is not None:
            request = request_of_token(token, reservation)
        else:
            request = await request_of_json(body, edit, reservation, owner=context.caller.id)
        if body.upload is not None:
            async with claimed_file(body, context) as (upload, file):
                return await _store(file, request, context, claims=upload)
        if body.image_url is None:
            return await _generate(request, context)
        if is_data_url(body.image_url):  # an upload: there is nothing to fetch
            filename = body.filename or "image"
            async with data_url_file(received, body.image_url, filename, context.backends) as file:
                return await _store(file, request, context)
        command = FetchImage(
            owner=context.caller,
            source=IngestSource(url=body.image_url),
            options=request.options,
            filename=body.filename,
            retention=request.retention,
            result_retention=request.result_retention,
            operations=request.operations,
            edit=request.edit,
            tags=request.tags,
            public=request.public,
            renditions=request.renditions,
            reuse=request.reuse,
        )
        return await fetch_image(command, context.backends)

    return await _once(context, fingerprint(context.request, received.digest), make)


async def _once(
    context: RequestContext, request_hash: str, make: Callable[[Reservation | None], Awaitable[Made]]
) -> Response[ImageView] | Response[JobView]:
    async def respond(made: Made) -> Response[ImageView] | Response[JobView]:
        if isinstance(made, StoredImage):
            response = await created(context, made.image, made.job, is_new=made.is_new, existed=made.existed)
            return with_stream(response, made.job, context)
        return await (ingested if made.kind == JobKind.INGEST else generated)(context, made)

    async def find(effect: Effect) -> Made:
        return await _find(effect, context)

    return await once(context, request_hash, make=make, find=find, respond=respond)


async def _find(effect: Effect, context: RequestContext) -> Made:
    """Find what an earlier request with the same key made.

    Raises:
        JobFailed: Its job failed, and took the image with it.
    """
    owner = context.caller.id
    job = None if effect.job is None else await jobs.owned_by(owner, effect.job)
    if effect.subject is None and job is not None and (job.kind == JobKind.INGEST or job.image is None):
        return job
    try:
        image = await images.owned_by(owner, required(effect.subject or (job.image if job else None)))
    except ImageNotFound:
        if job is not None and job.status == JobStatus.FAILED:
            raise JobFailed(job.error_code or "", job.error or "") from None
        raise
    return StoredImage(image, job, is_new=effect.subject is not None, existed=True)


async def _generate(request: ImageRequest, context: RequestContext) -> Job:
    """Queue a job that makes images from a prompt alone."""
    if request.edit is None or request.edit.mask is not None:
        raise BadUpload("a mask needs an image to be edited")
    if request.tags or request.public or request.renditions:
        raise BadUpload(
            "`tags`, `public` and `renditions` need an image: there is none yet; use `PATCH` on the results"
        )
    command = _edit_of(None, request.edit, request, context)
    return await edit_image(command, context.backends)


async def _store(
    file: ReceivedFile, request: ImageRequest, context: RequestContext, *, claims: DirectUpload | None = None
) -> StoredImage:
    same = await image_sources.same_bytes(context.caller.id, file.md5) if request.reuse else None
    if same is not None:
        made = StoredImage(same, await _reused(same, request, context), is_new=False, existed=True)
        if claims is not None:
            await direct_upload.discard(claims, context.backends)
        return made
    upload = await checked_upload(context, file)
    if request.token is not None:
        require_format(upload.header, request.token)
    command = CreateImage(
        owner=context.caller,
        upload=upload,
        options=request.options,
        operations=request.operations,
        edit=request.edit,
        retention=request.retention,
        result_retention=request.result_retention,
        tags=request.tags,
        public=request.public,
        renditions=request.renditions,
        token=request.token and request.token.id,
        claims=claims,
    )
    image, job = await create_image(command, context.backends)
    return StoredImage(image, job, is_new=True)


async def _reused(same: Image, request: ImageRequest, context: RequestContext) -> Job | None:
    """Queue what is requested of an image that is stored already."""
    await render_ahead(same, context.caller, request.renditions, request.options, context.backends)
    if request.edit is not None:
        return await edit_image(_edit_of(same, request.edit, request, context), context.backends)
    if request.operations is None:
        return None
    command = TransformStored(
        owner=context.caller,
        image=same,
        operations=request.operations,
        options=request.options,
        retention=_of_result(request, context),
    )
    return await transform(command, context.backends)


def _edit_of(image: Image | None, edit: Edit, request: ImageRequest, context: RequestContext) -> EditStored:
    return EditStored(
        owner=context.caller,
        image=image,
        edit=edit,
        options=request.options,
        operations=request.operations or (),
        retention=_of_result(request, context),
    )


def _of_result(request: ImageRequest, context: RequestContext) -> Retention:
    """Return the retention of what is made of an image that is stored already, or of a prompt alone."""
    source = retention.of_upload(request.retention, context.settings, has_result=True)
    return retention.of_result(request.result_retention, source)
