"""Routes that search images by perceptual hash."""

import re
from collections.abc import Sequence
from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ValidationException
from litestar.params import FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK

from apps.api.context import RequestContext, job_options
from apps.api.middleware.key_access import needs
from apps.api.openapi.document import BEARER
from apps.api.problems import JobFailed
from apps.api.responses import image_views
from apps.api.responses.job_responses import in_progress
from apps.api.responses.lists import Limit, page_headers
from apps.api.responses.waiting import done_in_time, prefer_wait_s
from apps.api.uploads.describe_image import describe_in_time
from apps.api.uploads.errors import BadUpload, field_errors
from apps.api.uploads.json_body import ImageJson, is_json, received_image_json
from apps.api.uploads.multipart_form import FormShape, ReceivedFile, received_form
from apps.api.uploads.received_files import data_url_file, store_ephemeral
from libs.contracts.commands import IngestSource
from libs.contracts.decode_errors import convert_value
from libs.contracts.enums import Retention, Scope
from libs.contracts.views.jobs import JobView
from libs.contracts.views.search import DuplicateGroupView, SearchRequest, SimilarView
from libs.images import expiry
from libs.images.duplicates import After, Duplicates
from libs.images.from_url import FetchImage, fetch_image
from libs.imaging.hashing import signed64
from libs.outbound import is_data_url
from libs.storage import image_descriptions, images, phash_index
from libs.storage.database.tables import Image, Job
from libs.storage.phash_index import NO_IMAGE, SimilarImage

WAIT_S = 30.0
PLACE = r"^(\d{1,18})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$"
SearchResponse: TypeAlias = Response[list[SimilarView]] | Response[JobView]
Distance: TypeAlias = Annotated[
    int, QueryParameter(ge=0, le=64, description="The greatest number of differing bits, of 64")
]
NearDistance: TypeAlias = Annotated[int, QueryParameter(ge=0, le=phash_index.MAX_PROBED_DISTANCE)]

Place: TypeAlias = Annotated[
    str | None, QueryParameter(pattern=PLACE, description="From `Link`: where the page before ended")
]


class Search(Controller):
    """Search the caller's images by perceptual hash. The results are complete for every distance."""

    path = "/api/images"
    tags = ("Images",)
    security = BEARER
    opt = needs(Scope.IMAGES_READ)

    @get("/{image_id:uuid}/similar", operation_id="listSimilarImages")
    async def similar(
        self,
        image_id: FromPath[UUID],
        context: NamedDependency[RequestContext],
        max_distance: Distance = 10,
        limit: Limit = 20,
    ) -> SearchResponse:
        """List the caller's images that look like this one, nearest first."""
        context = context.waiting(WAIT_S)
        image = await images.owned_by(context.caller.id, image_id)
        if not image_descriptions.is_described(image):
            try:
                job = await describe_in_time(image, context)
            except JobFailed:
                if image.phash is None:
                    raise
                job = None  # a hash of an earlier version is better than none
            if job is not None:
                return in_progress(context, job)
            image = await images.owned_by(context.caller.id, image_id)
        search = SearchRequest(max_distance=max_distance, limit=limit)
        return await _nearest(image.phash or 0, search, context, exclude=image.id)

    @post("/search", operation_id="searchImages", status_code=HTTP_200_OK, request_max_body_size=None)
    async def search(self, context: NamedDependency[RequestContext]) -> SearchResponse:
        """List the caller's images that look like a file, the image at a URL, or a hash, nearest first.

        The file is not kept. If it is not hashed in time, the answer is 202 with the job; the job's result is
        an ephemeral image, whose look-alikes `GET /api/images/{image_id}/similar` lists.
        """
        context = context.waiting(WAIT_S)
        limit = context.settings.max_upload_bytes
        if not is_json(context.request):
            shape = FormShape(files=("image",), fields=("max_distance", "limit"), max_file_bytes=limit)
            async with received_form(context.request, context.backends.scratch, shape) as form:
                file = form.file("image")
                return await _search_file(file, _search_request(form.fields), context)
        async with received_image_json(context, SearchRequest) as received:
            return await _search_json(received, context)

    @get("/duplicates", operation_id="listDuplicates")
    async def duplicates(
        self,
        context: NamedDependency[RequestContext],
        searches: NamedDependency[Duplicates],
        max_distance: NearDistance = 4,
        limit: Limit = 100,
        after: Place = None,
    ) -> Response[list[DuplicateGroupView]]:
        """List groups of the caller's images that look alike, most reclaimable bytes first."""
        found, total = await searches.page(
            context.caller.id, max_distance=max_distance, limit=limit, after=_place(after)
        )
        views = [msgspec.convert(group, DuplicateGroupView, from_attributes=True) for group in found]
        following = (
            f"{found[-1].reclaimable_bytes}.{found[-1].representative}" if len(found) == limit else None
        )
        return Response(views, headers=page_headers(context, total=total, following=following))


async def _search_json(received: ImageJson[SearchRequest], context: RequestContext) -> SearchResponse:
    body = received.body
    if (body.image_url is None) == (body.phash is None):
        message = "Give either `image_url` or `phash`"
        raise ValidationException(extra=[{"key": "body", "message": message}])
    if body.phash is not None:
        return await _nearest(signed64(body.phash), body, context)
    url = body.image_url or ""
    if is_data_url(url):
        async with data_url_file(received, url, "image", context.backends) as file:
            return await _search_file(file, body, context)
    command = FetchImage(
        owner=context.caller,
        source=IngestSource(url=url),
        options=job_options(),
        retention=Retention.EPHEMERAL,
    )
    job = await fetch_image(command, context.backends)
    return await _search_job(job, body, context)


async def _search_file(file: ReceivedFile, search: SearchRequest, context: RequestContext) -> SearchResponse:
    image = await store_ephemeral(file, context)
    job = await describe_in_time(image, context)
    if job is not None:
        return in_progress(context, job)
    return await _search_image(image.id, search, context)


async def _search_job(job: Job, search: SearchRequest, context: RequestContext) -> SearchResponse:
    done = await done_in_time(job, context.event_streams, prefer_wait_s(context))
    if done is None or done.result is None:
        return in_progress(context, job)
    return await _search_image(done.result, search, context)


async def _search_image(image_id: UUID, search: SearchRequest, context: RequestContext) -> SearchResponse:
    """Search by an image that was stored for this request, and delete it."""
    image: Image = await images.owned_by(context.caller.id, image_id)
    try:
        return await _nearest(image.phash or 0, search, context, exclude=image.id)
    finally:
        await expiry.discard(image, context.caller, context.backends)


async def _nearest(
    phash: int, search: SearchRequest, context: RequestContext, *, exclude: UUID = NO_IMAGE
) -> SearchResponse:
    found = await phash_index.find(
        context.caller.id, phash, max_distance=search.max_distance, limit=search.limit, exclude=exclude
    )
    return Response(await _views(found, context))


async def _views(matches: Sequence[SimilarImage], context: RequestContext) -> list[SimilarView]:
    stored = await images.by_ids([match.id for match in matches])
    views = {view.id: view for view in await image_views.views_of(stored, context.addresses)}
    return [
        SimilarView(**msgspec.structs.asdict(views[match.id]), distance=match.distance)
        for match in matches
        if match.id in views
    ]


def _place(after: str | None) -> After | None:
    """Read where the page before ended.

    Raises:
        ValidationException: It is no such place.
    """
    if after is None:
        return None
    match = re.match(PLACE, after)
    if match is None:
        raise ValidationException(extra=[{"key": "after", "message": "Take it from the header Link"}])
    return After(int(match[1]), UUID(match[2]))


def _search_request(fields: dict[str, str]) -> SearchRequest:
    try:
        return convert_value(fields, SearchRequest, strict=False)
    except msgspec.ValidationError as error:
        raise BadUpload(str(error), field_errors(error)) from error
