"""`PATCH` and `PUT` of an image: what is known of it changes, or its bytes do."""

from uuid import UUID

from litestar import Response

from apps.api.context import RequestContext
from apps.api.middleware.request_log import request_id
from apps.api.responses import image_views
from apps.api.responses.job_responses import ingested
from apps.api.uploads.create_image import receive, unpacked
from apps.api.uploads.json_body import received_json
from apps.api.uploads.multipart_form import ReceivedFile
from libs.contracts.enums import Priority, Retention
from libs.contracts.views.images import ImagePatch, ImagePut, ImageView
from libs.contracts.views.jobs import JobView
from libs.images import from_url
from libs.images.describe_jobs import describe
from libs.images.from_url import Wanted
from libs.outbound import is_data_url
from libs.storage import images
from libs.storage.database.tables import Image, Job


async def change(image_id: UUID, context: RequestContext) -> Response[ImageView] | Response[JobView]:
    """Change what the body names; with an `image_url`, all that is known of the bytes there comes along."""
    settings = context.settings
    body, _ = await received_json(context.request, ImagePatch, for_bytes=settings.max_upload_bytes)
    image = await images.owned_by(context.caller.id, image_id)
    if body.image_url is not None:
        wanted = Wanted(url=body.image_url, filename=body.filename, retention=body.retention)
        return await _replaced(image, wanted, context)
    image = await images.change(
        image,
        filename=body.filename,
        retention=body.retention,
        undownloaded_s=settings.expire_undownloaded_s,
    )
    if image.retention == Retention.KEEP and image.phash is None:
        await describe(
            image, context.caller, context.backends, request_id=request_id(), priority=Priority.BULK
        )
    return Response(await image_views.view_of(image, context.base_url))


async def replace(image_id: UUID, context: RequestContext) -> Response[ImageView] | Response[JobView]:
    """Put the bytes at the body's `image_url` in the place of those that are there."""
    limit = context.settings.max_upload_bytes
    body, _ = await received_json(context.request, ImagePut, for_bytes=limit)
    image = await images.owned_by(context.caller.id, image_id)
    wanted = Wanted(url=body.image_url, filename=body.filename, retention=body.retention)
    return await _replaced(image, wanted, context)


async def _replaced(
    image: Image, wanted: Wanted, context: RequestContext
) -> Response[ImageView] | Response[JobView]:
    if is_data_url(wanted.url):
        async with unpacked(wanted.url, wanted.filename or image.filename, context.backends) as file:
            job = await _replaced_by(file, image, wanted, context)
    else:
        job = await from_url.replace(image, wanted, context.caller, context.backends, request_id=request_id())
    return await ingested(context, job)


async def _replaced_by(file: ReceivedFile, image: Image, wanted: Wanted, context: RequestContext) -> Job:
    upload = await receive(context, file)
    return await from_url.replace_by(
        image, upload, wanted, context.caller, context.backends, request_id=request_id()
    )
