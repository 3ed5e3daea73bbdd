"""`POST /api/images`: an image comes as a form, or as JSON that names its URL."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

from litestar import Response

from apps.api.context import RequestContext
from apps.api.middleware.idempotency import fingerprint, once
from apps.api.middleware.request_log import request_id
from apps.api.responses import image_views
from apps.api.responses.job_responses import created, generated, ingested
from apps.api.responses.waiting import done_in_time, prefer_wait_s
from apps.api.uploads.edit_fields import MASK, NAMES, edit_of, edit_of_form, refuse_if_off
from apps.api.uploads.json_body import is_json, received_json
from apps.api.uploads.multipart_form import BadUpload, Form, FormShape, ReceivedFile, received_form
from apps.api.uploads.upload_form import UPLOAD_FORM, UploadForm
from libs.backends import Backends
from libs.contracts.enums import OnDuplicate, Retention
from libs.contracts.views.images import ImageFromUrl, ImageView, Metadata
from libs.contracts.views.jobs import JobView
from libs.edits import request
from libs.images import expiry, from_url, watermark_sources
from libs.images import upload as intake
from libs.images.describe_jobs import describe
from libs.images.from_url import Wanted
from libs.images.upload import Upload
from libs.imaging.header import read_header
from libs.imaging.limits import Limits
from libs.outbound import decode_data_url, is_data_url
from libs.storage import image_sources, images
from libs.storage.database.tables import Image, Job, new_id
from libs.storage.image_errors import ImageNotReady

FIELDS = ("operations", "retention", "on_duplicate", "webhook_url", *NAMES)


async def create(
    context: RequestContext, upload_form: UploadForm = UPLOAD_FORM
) -> Response[ImageView] | Response[JobView]:
    """Store an image from a form or from JSON, and queue its operations or edit."""
    if is_json(context.request):
        return await _from_json(context)
    return await _from_form(context, upload_form)


async def describing(image: Image, context: RequestContext) -> Job | None:
    """Have a stored image described now; the job, when that is not done in time.

    Raises:
        JobFailed: It cannot be.
    """
    job = await describe(image, context.caller, context.backends, request_id=request_id())
    done = await done_in_time(job, context.live, prefer_wait_s(context))
    return None if done else job


async def metadata_of(image: Image, context: RequestContext) -> Metadata | Job:
    """What a full decode of a stored image tells; the job, when that is not done in time.

    Raises:
        JobFailed: It cannot be decoded.
        ImageNotReady: It was replaced meanwhile.
    """
    told = image_views.metadata(image)
    if told is not None:
        return told
    job = await describing(image, context)
    if job is not None:
        return job
    told = image_views.metadata(await images.owned_by(context.caller.id, image.id))
    if told is None:
        raise ImageNotReady("the image was replaced meanwhile; ask again")
    return told


async def receive(context: RequestContext, file: ReceivedFile) -> Upload:
    """The file, its header checked.

    Raises:
        SourceFault: It is no accepted image.
    """
    header = await asyncio.to_thread(read_header, file.path, _limits(context.backends))
    return Upload(
        path=file.path, filename=file.filename, size_bytes=file.size_bytes, md5=file.md5, header=header
    )


@asynccontextmanager
async def unpacked(url: str, filename: str, backends: Backends) -> AsyncGenerator[ReceivedFile]:
    """The bytes of a `data:` URL as a file, removed at the end unless somebody took it."""
    limit = backends.settings.max_upload_bytes
    content = await asyncio.to_thread(decode_data_url, url, max_bytes=limit)
    path = backends.scratch / f"upload-{new_id()}"
    try:
        await asyncio.to_thread(path.write_bytes, content)
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        yield ReceivedFile(path, filename, len(content), md5)
    finally:
        path.unlink(missing_ok=True)


async def _from_form(
    context: RequestContext, upload_form: UploadForm
) -> Response[ImageView] | Response[JobView]:
    backends = context.backends
    shape = FormShape(
        files=(*upload_form.image_names, MASK),
        fields=FIELDS,
        max_file_bytes=backends.settings.max_upload_bytes,
        more_files=upload_form.named_parts,
    )
    async with received_form(context.request, backends.scratch, shape) as form:
        wants_edit = "prompt" in form.fields
        refuse_if_off(wanted=wants_edit, backends=backends)
        file = upload_form.image(form, required=not wants_edit)
        digests = sorted((name, part.md5) for name, part in form.files.items())
        named = file.filename if file else None
        print_of = fingerprint(context.request, digests, named, *sorted(form.fields.items()))

        async def answer() -> Response[ImageView] | Response[JobView]:
            async with kept_parts(form, context, besides=upload_form.image_names) as parts:
                wanted = _wanted_by_form(form, parts, upload_form)
                return await (_generated(wanted, context) if file is None else _stored(file, wanted, context))

        return await once(context, print_of, answer)


async def _from_json(context: RequestContext) -> Response[ImageView] | Response[JobView]:
    limit = context.settings.max_upload_bytes
    body, digest = await received_json(context.request, ImageFromUrl, for_bytes=limit)
    wanted = Wanted(
        url=body.image_url or "",
        filename=body.filename,
        retention=body.retention,
        operations=body.operations,
        reuse=body.on_duplicate == OnDuplicate.RETURN,
        edit=edit_of(body),
        webhook_url=body.webhook_url,
    )
    refuse_if_off(wanted=wanted.edit is not None, backends=context.backends)

    async def answer() -> Response[ImageView] | Response[JobView]:
        if body.image_url is None:
            return await _generated(wanted, context)
        if is_data_url(body.image_url):
            return await _unpacked(wanted, context)
        job = await from_url.ingest(wanted, context.caller, context.backends, request_id=request_id())
        return await ingested(context, job)

    return await once(context, fingerprint(context.request, digest), answer)


async def _generated(wanted: Wanted, context: RequestContext) -> Response[ImageView] | Response[JobView]:
    """A prompt without an image: there is none yet."""
    if wanted.edit is None or wanted.edit.mask is not None:
        raise BadUpload("a mask needs an image to be edited")
    job = await request.edit(
        None,
        context.caller,
        wanted.edit,
        wanted.operations or (),
        context.backends,
        retention=wanted.retention or Retention.EPHEMERAL,
        request_id=request_id(),
        webhook_url=wanted.webhook_url,
    )
    return await generated(context, job)


async def _unpacked(wanted: Wanted, context: RequestContext) -> Response[ImageView]:
    """A `data:` URL is an upload: there is nothing to fetch."""
    async with unpacked(wanted.url, wanted.filename or "image", context.backends) as file:
        return await _stored(file, wanted, context)


async def _stored(file: ReceivedFile, wanted: Wanted, context: RequestContext) -> Response[ImageView]:
    same = await image_sources.same_bytes(context.caller.id, file.md5) if wanted.reuse else None
    image, job = await (_store(file, wanted, context) if same is None else _reuse(same, wanted, context))
    return await created(context, image, job, is_new=same is None)


async def _store(file: ReceivedFile, wanted: Wanted, context: RequestContext) -> tuple[Image, Job | None]:
    return await intake.store_upload(
        await receive(context, file),
        context.caller,
        context.backends,
        operations=wanted.operations,
        retention=wanted.retention,
        request_id=request_id(),
        edit=wanted.edit,
        webhook_url=wanted.webhook_url,
    )


async def _reuse(same: Image, wanted: Wanted, context: RequestContext) -> tuple[Image, Job | None]:
    stays = wanted.retention or Retention.EPHEMERAL
    if wanted.edit is not None:
        job = await request.edit(
            same,
            context.caller,
            wanted.edit,
            wanted.operations or (),
            context.backends,
            retention=stays,
            request_id=request_id(),
            webhook_url=wanted.webhook_url,
        )
        return same, job
    if wanted.operations is None:
        return same, None
    job = await intake.transform(
        same,
        context.caller,
        wanted.operations,
        context.backends,
        retention=stays,
        request_id=request_id(),
        webhook_url=wanted.webhook_url,
    )
    return same, job


@asynccontextmanager
async def kept_parts(
    form: Form, context: RequestContext, *, besides: Collection[str] = UPLOAD_FORM.image_names
) -> AsyncGenerator[dict[str, UUID]]:
    """The form's other files, each kept for a while as an image of its own; none if the block fails."""
    kept: dict[str, Image] = {}
    try:
        for name in sorted(form.files.keys() - set(besides)):
            upload = await receive(context, form.files[name])
            kept[name], _ = await intake.store_upload(
                upload,
                context.caller,
                context.backends,
                operations=None,
                retention=Retention.EPHEMERAL,
                request_id=request_id(),
            )
        yield {name: image.id for name, image in kept.items()}
    except BaseException:
        for image in kept.values():
            await expiry.delete(image, context.caller, context.backends)
        raise


def _wanted_by_form(form: Form, parts: Mapping[str, UUID], upload_form: UploadForm) -> Wanted:
    operations = upload_form.operations(form)
    return Wanted(
        url="",
        operations=None if operations is None else watermark_sources.with_parts(operations, parts),
        edit=edit_of_form(form, parts),
        retention=form.choice("retention", Retention),
        reuse=form.choice("on_duplicate", OnDuplicate) == OnDuplicate.RETURN,
        webhook_url=form.fields.get("webhook_url") or None,
    )


def _limits(backends: Backends) -> Limits:
    return backends.settings.image_limits
