"""`POST /api/images/{id}/edit`, and `PATCH` with another image and a prompt."""

from litestar import Response
from msgspec import structs

from apps.api.context import RequestContext, job_options
from apps.api.middleware.idempotency import fingerprint, once, required
from apps.api.responses.job_responses import created, job_once
from apps.api.uploads.edit_fields import MASK, NAMES, edit_of, edit_of_form, require_edits_of
from apps.api.uploads.errors import BadUpload
from apps.api.uploads.json_body import is_json, received_json
from apps.api.uploads.multipart_form import FormShape, received_form
from apps.api.uploads.received_files import checked_upload, stored_parts
from apps.api.uploads.upload_form import UPLOAD_FORM
from libs.contracts.edits import Edit
from libs.contracts.enums import Retention
from libs.contracts.views.images import EditRequest, ImageView
from libs.contracts.views.jobs import JobView
from libs.contracts.views.request_body import Operations
from libs.edits import submit_edit
from libs.edits.submit_edit import EditStored, ReplaceAndEdit
from libs.images import watermark_sources
from libs.storage import images, jobs
from libs.storage.database.tables import Image, Job
from libs.storage.idempotency import Effect, Reservation


async def edit(image: Image, context: RequestContext) -> Response[JobView]:
    """Queue an edit of a stored image; the mask comes as an id, or as a file of a form."""
    require_edits_of(context)
    return await (_from_json(image, context) if is_json(context.request) else _from_form(image, context))


async def replace_and_edit(image: Image, context: RequestContext) -> Response[ImageView]:
    """Put the form's image in the place of the stored bytes, and queue an edit of it."""
    backends = context.backends
    shape = FormShape(
        files=("image", MASK),
        fields=(*NAMES, "operations", "webhook_url"),
        max_file_bytes=backends.settings.max_upload_bytes,
        named_files=UPLOAD_FORM.named_parts,
    )
    async with received_form(context.request, backends.scratch, shape) as form:
        require_edits_of(context)
        file = form.file("image")
        digests = sorted((name, part.md5) for name, part in form.files.items())
        request_hash = fingerprint(context.request, digests, file.filename, *sorted(form.fields.items()))

        async def make(reservation: Reservation | None) -> tuple[Image, Job]:
            async with stored_parts(form, context) as parts:
                operations = form.value("operations", Operations) or ()
                command = ReplaceAndEdit(
                    owner=context.caller,
                    image=image,
                    upload=await checked_upload(context, file),
                    edit=_required(edit_of_form(form, parts)),
                    options=job_options(form.fields.get("webhook_url"), reservation),
                    operations=watermark_sources.with_parts(operations, parts),
                )
                return await submit_edit.replace_and_edit(command, backends)

        async def find(effect: Effect) -> tuple[Image, Job]:
            job = await jobs.owned_by(context.caller.id, required(effect.job))
            return await images.owned_by(context.caller.id, image.id), job

        async def respond(made: tuple[Image, Job]) -> Response[ImageView]:
            return await created(context, *made, is_new=False)

        return await once(context, request_hash, make=make, find=find, respond=respond)


async def _from_json(image: Image, context: RequestContext) -> Response[JobView]:
    body, digest = await received_json(context.request, EditRequest)

    async def make(reservation: Reservation | None) -> Job:
        return await _queue(image, body, reservation, context)

    return await job_once(context, fingerprint(context.request, digest), make)


async def _from_form(image: Image, context: RequestContext) -> Response[JobView]:
    backends = context.backends
    shape = FormShape(
        files=(MASK,),
        fields=(*NAMES, "operations", "retention", "webhook_url"),
        max_file_bytes=backends.settings.max_upload_bytes,
        named_files=UPLOAD_FORM.named_parts,
    )
    async with received_form(context.request, backends.scratch, shape) as form:
        digests = sorted((name, part.md5) for name, part in form.files.items())
        request_hash = fingerprint(context.request, digests, *sorted(form.fields.items()))

        async def make(reservation: Reservation | None) -> Job:
            async with stored_parts(form, context) as parts:
                operations = form.value("operations", Operations) or ()
                body = EditRequest(
                    **structs.asdict(_required(edit_of_form(form, parts))),
                    operations=watermark_sources.with_parts(operations, parts),
                    retention=form.choice("retention", Retention) or Retention.EPHEMERAL,
                    webhook_url=form.fields.get("webhook_url"),
                )
                return await _queue(image, body, reservation, context)

        return await job_once(context, request_hash, make)


async def _queue(
    image: Image, body: EditRequest, reservation: Reservation | None, context: RequestContext
) -> Job:
    command = EditStored(
        owner=context.caller,
        image=image,
        edit=_required(edit_of(body)),
        options=job_options(body.webhook_url, reservation),
        operations=body.operations or (),
        retention=body.retention,
    )
    return await submit_edit.edit_image(command, context.backends)


def _required(edit: Edit | None) -> Edit:
    if edit is None:
        raise BadUpload("field `prompt` is missing")
    return edit
