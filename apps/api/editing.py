"""`POST /api/images/{id}/edit`, and `PATCH` with another image and a prompt."""

from litestar import Response
from msgspec import structs

from apps.api.accept import BadUpload, FormShape, received_form
from apps.api.answers import created, job_answer
from apps.api.asked import Asked
from apps.api.creation import kept_parts, parts_of_operations, receive
from apps.api.edit_fields import MASK, NAMES, edit_of, edit_of_form, refuse_if_off
from apps.api.idempotency import fingerprint, once
from apps.api.json_body import is_json, received_json
from apps.api.request_log import request_id
from libs import assets, edit_intake
from libs.contracts.edits import Edit
from libs.contracts.views import EditRequest, ImageView, JobView, Operations
from libs.contracts.words import Retention
from libs.storage.tables import Image


async def edit(image: Image, asked: Asked) -> Response[JobView]:
    """Queue an edit of a stored image; the mask comes as an id, or as a file of a form."""
    refuse_if_off(wanted=True, backends=asked.backends)
    return await (_from_json(image, asked) if is_json(asked.request) else _from_form(image, asked))


async def replace_and_edit(image: Image, asked: Asked) -> Response[ImageView]:
    """Let the form's image take the place of the stored bytes, and queue an edit of it."""
    backends = asked.backends
    shape = FormShape(
        files=("image", MASK),
        fields=(*NAMES, "operations", "webhook_url"),
        max_file_bytes=backends.settings.max_upload_bytes,
        more_files=parts_of_operations,
    )
    async with received_form(asked.request, backends.scratch, shape) as form:
        refuse_if_off(wanted=True, backends=backends)
        file = form.file("image")
        digests = sorted((name, part.md5) for name, part in form.files.items())
        print_of = fingerprint(asked.request, digests, file.filename, *sorted(form.fields.items()))

        async def answer() -> Response[ImageView]:
            async with kept_parts(form, asked) as parts:
                operations = assets.with_parts(form.value("operations", Operations) or (), parts)
                wanted = _required(edit_of_form(form, parts))
                new, job = await edit_intake.replace_and_edit(
                    image,
                    await receive(asked, file),
                    asked.caller,
                    wanted,
                    operations,
                    backends,
                    request_id=request_id(),
                    webhook_url=form.fields.get("webhook_url"),
                )
            return await created(asked, new, job, is_new=False)

        return await once(asked, print_of, answer)


async def _from_json(image: Image, asked: Asked) -> Response[JobView]:
    body, digest = await received_json(asked.request, EditRequest, for_bytes=0)

    async def answer() -> Response[JobView]:
        return await _queued(image, body, asked)

    return await once(asked, fingerprint(asked.request, digest), answer)


async def _from_form(image: Image, asked: Asked) -> Response[JobView]:
    backends = asked.backends
    shape = FormShape(
        files=(MASK,),
        fields=(*NAMES, "operations", "retention", "webhook_url"),
        max_file_bytes=backends.settings.max_upload_bytes,
        more_files=parts_of_operations,
    )
    async with received_form(asked.request, backends.scratch, shape) as form:
        digests = sorted((name, part.md5) for name, part in form.files.items())
        print_of = fingerprint(asked.request, digests, *sorted(form.fields.items()))

        async def answer() -> Response[JobView]:
            async with kept_parts(form, asked) as parts:
                body = EditRequest(
                    **structs.asdict(_required(edit_of_form(form, parts))),
                    operations=assets.with_parts(form.value("operations", Operations) or (), parts),
                    retention=form.choice("retention", Retention) or Retention.EPHEMERAL,
                    webhook_url=form.fields.get("webhook_url"),
                )
                return await _queued(image, body, asked)

        return await once(asked, print_of, answer)


async def _queued(image: Image, body: EditRequest, asked: Asked) -> Response[JobView]:
    job = await edit_intake.edit(
        image,
        asked.caller,
        _required(edit_of(body)),
        body.operations or (),
        asked.backends,
        retention=body.retention,
        request_id=request_id(),
        webhook_url=body.webhook_url,
    )
    return await job_answer(asked, job)


def _required(wanted: Edit | None) -> Edit:
    if wanted is None:
        raise BadUpload("field `prompt` is missing")
    return wanted
