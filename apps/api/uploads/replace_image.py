"""`PATCH` and `PUT` of an image: change its name, retention and tags, or its bytes."""

from uuid import UUID

from litestar import Response
from msgspec import UNSET

from apps.api.context import RequestContext, job_options
from apps.api.responses import image_views
from apps.api.responses.job_responses import ingested
from apps.api.uploads.json_body import ImageJson, received_image_json
from apps.api.uploads.received_files import checked_upload, data_url_file
from apps.http.request_log import request_id
from libs.contracts import tags
from libs.contracts.enums import Priority, Retention
from libs.contracts.views.images import ImagePatch, ImagePut, ImageView
from libs.contracts.views.jobs import JobView
from libs.delivery import purge
from libs.delivery.refocus import outdated_by_focus, refocus
from libs.images.queue_description import queue_description
from libs.images.replace import ReplaceImage, replace_image
from libs.images.upload import Upload
from libs.outbound import is_data_url
from libs.storage import image_descriptions, images
from libs.storage.database.tables import Image, Job


async def change(image_id: UUID, context: RequestContext) -> Response[ImageView] | Response[JobView]:
    """Change what the body names; an `image_url` replaces the bytes, with their hashes and metadata."""
    settings = context.settings
    async with received_image_json(context, ImagePatch) as received:
        body = received.body
        image = await images.owned_by(context.caller.id, image_id)
        if body.image_url is not None:
            return await _replaced(image, body.image_url, received, context)
    has_new_focus = body.focus is not UNSET and body.focus != images.focus_of(image)
    outdated = await outdated_by_focus(image, settings) if has_new_focus else None
    image = await images.change(
        image,
        filename=body.filename,
        retention=body.retention,
        tags=tags.normalised(body.tags),
        public=body.public,
        focus=body.focus,
        undownloaded_s=settings.expire_undownloaded_s,
    )
    if outdated is not None:
        await refocus(image, context.caller, outdated, context.backends, request_id=request_id())
    if image.retention == Retention.EPHEMERAL:
        await purge.renditions_of_image(image.id, context.backends)
    if image.retention == Retention.KEEP and not image_descriptions.is_described(image):
        await queue_description(
            image, context.caller, context.backends, request_id=request_id(), priority=Priority.BULK
        )
    return Response(await image_views.view_of(image, context.addresses))


async def replace(image_id: UUID, context: RequestContext) -> Response[ImageView] | Response[JobView]:
    """Replace the image's bytes by those at the body's `image_url`."""
    async with received_image_json(context, ImagePut) as received:
        image = await images.owned_by(context.caller.id, image_id)
        return await _replaced(image, received.body.image_url, received, context)


async def _replaced(
    image: Image, url: str, received: ImageJson[ImagePatch] | ImageJson[ImagePut], context: RequestContext
) -> Response[ImageView] | Response[JobView]:
    body = received.body

    async def queued(source: str | Upload) -> Job:
        command = ReplaceImage(
            owner=context.caller,
            image=image,
            source=source,
            options=job_options(),
            filename=body.filename,
            retention=body.retention,
            tags=tags.normalised(body.tags),
            public=body.public if isinstance(body, ImagePatch) else None,
        )
        return await replace_image(command, context.backends)

    if not is_data_url(url):
        return await ingested(context, await queued(url))
    async with data_url_file(received, url, body.filename or image.filename, context.backends) as file:
        job = await queued(await checked_upload(context, file))
    return await ingested(context, job)
