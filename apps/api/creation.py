"""`POST /api/images`: an image comes as a form, or as JSON that names its URL."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

from litestar import Response

from apps.api import present
from apps.api.accept import BadUpload, Form, FormShape, ReceivedFile, received_form
from apps.api.answers import created, generated, ingested
from apps.api.asked import Asked
from apps.api.edit_fields import MASK, NAMES, edit_of, edit_of_form, refuse_if_off
from apps.api.idempotency import fingerprint, once
from apps.api.json_body import is_json, received_json
from apps.api.older.operations import read_operations
from apps.api.request_log import request_id
from apps.api.waiting import done_in_time, prefer_wait_s
from libs import assets, edit_intake, ingest, intake, retention
from libs.backends import Backends
from libs.contracts.views import ImageFromUrl, ImageView, JobView, Metadata
from libs.contracts.words import OnDuplicate, Retention
from libs.describing import describe
from libs.imaging.header import read_header
from libs.imaging.limits import Limits
from libs.ingest import Wanted
from libs.intake import Upload
from libs.outbound import decode_data_url, is_data_url
from libs.storage import images, ingests
from libs.storage.tables import Image, Job, new_id

IMAGE = ("image", "original_image")  # the second as older clients call it
FIELDS = ("operations", "retention", "on_duplicate", "webhook_url", *NAMES)


async def create(asked: Asked) -> Response[ImageView] | Response[JobView]:
    """Take an image in, and queue what is to be done with it."""
    return await (_from_json(asked) if is_json(asked.request) else _from_form(asked))


async def describing(image: Image, asked: Asked) -> Job | None:
    """Have a stored image described now; the job, when that is not done in time.

    Raises:
        JobFailed: It cannot be.
    """
    job = await describe(image, asked.caller, asked.backends, request_id=request_id())
    done = await done_in_time(job, asked.live, prefer_wait_s(asked))
    return None if done else job


async def metadata_of(image: Image, asked: Asked) -> Metadata | Job:
    """What a full decode of a stored image tells; the job, when that is not done in time.

    Raises:
        JobFailed: It cannot be decoded.
        ImageNotReady: It was replaced meanwhile.
    """
    told = present.metadata(image)
    if told is not None:
        return told
    job = await describing(image, asked)
    if job is not None:
        return job
    told = present.metadata(await images.owned_by(asked.caller.id, image.id))
    if told is None:
        raise images.ImageNotReady("the image was replaced meanwhile; ask again")
    return told


async def receive(asked: Asked, file: ReceivedFile) -> Upload:
    """The file, its header checked.

    Raises:
        SourceFault: It is no accepted image.
    """
    header = await asyncio.to_thread(read_header, file.path, _limits(asked.backends))
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


async def _from_form(asked: Asked) -> Response[ImageView] | Response[JobView]:
    backends = asked.backends
    shape = FormShape(
        files=(*IMAGE, MASK),
        fields=FIELDS,
        max_file_bytes=backends.settings.max_upload_bytes,
        more_files=parts_of_operations,
    )
    async with received_form(asked.request, backends.scratch, shape) as form:
        wants_edit = "prompt" in form.fields
        refuse_if_off(wanted=wants_edit, backends=backends)
        file = _image_of(form, needed=not wants_edit)
        digests = sorted((name, part.md5) for name, part in form.files.items())
        named = file.filename if file else None
        print_of = fingerprint(asked.request, digests, named, *sorted(form.fields.items()))

        async def answer() -> Response[ImageView] | Response[JobView]:
            async with kept_parts(form, asked) as parts:
                wanted = _wanted_by_form(form, parts)
                return await (_generated(wanted, asked) if file is None else _stored(file, wanted, asked))

        return await once(asked, print_of, answer)


async def _from_json(asked: Asked) -> Response[ImageView] | Response[JobView]:
    limit = asked.settings.max_upload_bytes
    body, digest = await received_json(asked.request, ImageFromUrl, for_bytes=limit)
    wanted = Wanted(
        url=body.image_url or "",
        filename=body.filename,
        retention=body.retention,
        operations=body.operations,
        reuse=body.on_duplicate == OnDuplicate.RETURN,
        edit=edit_of(body),
        webhook_url=body.webhook_url,
    )
    refuse_if_off(wanted=wanted.edit is not None, backends=asked.backends)

    async def answer() -> Response[ImageView] | Response[JobView]:
        if body.image_url is None:
            return await _generated(wanted, asked)
        if is_data_url(body.image_url):
            return await _unpacked(wanted, asked)
        job = await ingest.ingest(wanted, asked.caller, asked.backends, request_id=request_id())
        return await ingested(asked, job)

    return await once(asked, fingerprint(asked.request, digest), answer)


async def _generated(wanted: Wanted, asked: Asked) -> Response[ImageView] | Response[JobView]:
    """A prompt without an image: there is none yet."""
    if wanted.edit is None or wanted.edit.mask is not None:
        raise BadUpload("a mask needs an image to be edited")
    job = await edit_intake.edit(
        None,
        asked.caller,
        wanted.edit,
        wanted.operations or (),
        asked.backends,
        retention=wanted.retention or Retention.EPHEMERAL,
        request_id=request_id(),
        webhook_url=wanted.webhook_url,
    )
    return await generated(asked, job)


async def _unpacked(wanted: Wanted, asked: Asked) -> Response[ImageView]:
    """A `data:` URL is an upload: there is nothing to fetch."""
    async with unpacked(wanted.url, wanted.filename or "image", asked.backends) as file:
        return await _stored(file, wanted, asked)


async def _stored(file: ReceivedFile, wanted: Wanted, asked: Asked) -> Response[ImageView]:
    same = await ingests.same_bytes(asked.caller.id, file.md5) if wanted.reuse else None
    image, job = await (_store(file, wanted, asked) if same is None else _reuse(same, wanted, asked))
    return await created(asked, image, job, is_new=same is None)


async def _store(file: ReceivedFile, wanted: Wanted, asked: Asked) -> tuple[Image, Job | None]:
    return await intake.store_upload(
        await receive(asked, file),
        asked.caller,
        asked.backends,
        operations=wanted.operations,
        retention=wanted.retention,
        request_id=request_id(),
        edit=wanted.edit,
        webhook_url=wanted.webhook_url,
    )


async def _reuse(same: Image, wanted: Wanted, asked: Asked) -> tuple[Image, Job | None]:
    stays = wanted.retention or Retention.EPHEMERAL
    if wanted.edit is not None:
        job = await edit_intake.edit(
            same,
            asked.caller,
            wanted.edit,
            wanted.operations or (),
            asked.backends,
            retention=stays,
            request_id=request_id(),
            webhook_url=wanted.webhook_url,
        )
        return same, job
    if wanted.operations is None:
        return same, None
    job = await intake.transform(
        same,
        asked.caller,
        wanted.operations,
        asked.backends,
        retention=stays,
        request_id=request_id(),
        webhook_url=wanted.webhook_url,
    )
    return same, job


@asynccontextmanager
async def kept_parts(form: Form, asked: Asked) -> AsyncGenerator[dict[str, UUID]]:
    """The form's other files, each kept for a while as an image of its own; none if the block fails."""
    kept: dict[str, Image] = {}
    try:
        for name in sorted(form.files.keys() - IMAGE):
            upload = await receive(asked, form.files[name])
            kept[name], _ = await intake.store_upload(
                upload,
                asked.caller,
                asked.backends,
                operations=None,
                retention=Retention.EPHEMERAL,
                request_id=request_id(),
            )
        yield {name: image.id for name, image in kept.items()}
    except BaseException:
        for image in kept.values():
            await retention.delete(image, asked.caller, asked.backends)
        raise


def _image_of(form: Form, *, needed: bool) -> ReceivedFile | None:
    """The image under either of its names; a prompt does without one."""
    if form.files.keys() >= set(IMAGE):
        raise BadUpload("send either `image` or `original_image`")
    name = "original_image" if "original_image" in form.files else "image"
    return form.file(name) if needed else form.files.get(name)


def parts_of_operations(fields: Mapping[str, str]) -> Collection[str]:
    """The files that a form may have besides, for its operations."""
    operations = Form(dict(fields), {}).read("operations", read_operations)
    return assets.named_parts(operations or ())


def _wanted_by_form(form: Form, parts: Mapping[str, UUID]) -> Wanted:
    operations = form.read("operations", read_operations)
    return Wanted(
        url="",
        operations=None if operations is None else assets.with_parts(operations, parts),
        edit=edit_of_form(form, parts),
        retention=form.choice("retention", Retention),
        reuse=form.choice("on_duplicate", OnDuplicate) == OnDuplicate.RETURN,
        webhook_url=form.fields.get("webhook_url") or None,
    )


def _limits(backends: Backends) -> Limits:
    settings = backends.settings
    return Limits(max_pixels=settings.max_pixels, max_side=settings.max_side, max_frames=settings.max_frames)
