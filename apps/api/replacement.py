"""`PATCH` and `PUT` of an image: what is known of it changes, or its bytes do."""

from uuid import UUID

from litestar import Response

from apps.api import present
from apps.api.accept import ReceivedFile
from apps.api.answers import ingested
from apps.api.asked import Asked
from apps.api.creation import receive, unpacked
from apps.api.json_body import received_json
from apps.api.request_log import request_id
from libs import ingest
from libs.contracts.views import ImagePatch, ImagePut, ImageView, JobView
from libs.contracts.words import Priority, Retention
from libs.describing import describe
from libs.ingest import Wanted
from libs.outbound import is_data_url
from libs.storage import images
from libs.storage.tables import Image, Job


async def change(image_id: UUID, asked: Asked) -> Response[ImageView] | Response[JobView]:
    """Change what the body names; with an `image_url`, all that is known of the bytes there comes along."""
    settings = asked.settings
    body, _ = await received_json(asked.request, ImagePatch, for_bytes=settings.max_upload_bytes)
    image = await images.owned_by(asked.caller.id, image_id)
    if body.image_url is not None:
        wanted = Wanted(url=body.image_url, filename=body.filename, retention=body.retention)
        return await _replaced(image, wanted, asked)
    image = await images.change(
        image,
        filename=body.filename,
        retention=body.retention,
        undownloaded_s=settings.expire_undownloaded_s,
    )
    if image.retention == Retention.KEEP and image.phash is None:
        await describe(image, asked.caller, asked.backends, request_id=request_id(), priority=Priority.BULK)
    return Response(await present.one_image(image, asked.at))


async def replace(image_id: UUID, asked: Asked) -> Response[ImageView] | Response[JobView]:
    """Put the bytes at the body's `image_url` in the place of those that are there."""
    limit = asked.settings.max_upload_bytes
    body, _ = await received_json(asked.request, ImagePut, for_bytes=limit)
    image = await images.owned_by(asked.caller.id, image_id)
    wanted = Wanted(url=body.image_url, filename=body.filename, retention=body.retention)
    return await _replaced(image, wanted, asked)


async def _replaced(image: Image, wanted: Wanted, asked: Asked) -> Response[ImageView] | Response[JobView]:
    if is_data_url(wanted.url):
        async with unpacked(wanted.url, wanted.filename or image.filename, asked.backends) as file:
            job = await _replaced_by(file, image, wanted, asked)
    else:
        job = await ingest.replace(image, wanted, asked.caller, asked.backends, request_id=request_id())
    return await ingested(asked, job)


async def _replaced_by(file: ReceivedFile, image: Image, wanted: Wanted, asked: Asked) -> Job:
    upload = await receive(asked, file)
    return await ingest.replace_by(
        image, upload, wanted, asked.caller, asked.backends, request_id=request_id()
    )
