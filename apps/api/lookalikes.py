"""Routes that look for images by what they look like."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ValidationException
from litestar.params import FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK

from apps.api import present
from apps.api.accept import BadUpload, FormShape, ReceivedFile, received_form
from apps.api.answers import in_progress
from apps.api.asked import Asked
from apps.api.creation import describing, receive, unpacked
from apps.api.json_body import is_json, received_json
from apps.api.listing import Limit
from apps.api.openapi import BEARER, SearchOperation
from apps.api.request_log import request_id
from apps.api.waiting import done_in_time, prefer_wait_s
from libs import ingest, intake, retention
from libs.contracts.views import ClusterView, JobView, SearchRequest, SimilarView
from libs.contracts.words import Retention
from libs.imaging.hashing import signed64
from libs.ingest import Wanted
from libs.outbound import is_data_url
from libs.storage import images, lookalikes
from libs.storage.clusters import clusters
from libs.storage.lookalikes import NOBODY, LookAlike
from libs.storage.tables import BaseUser, Image, Job

WAIT_S = 30.0
Found: TypeAlias = Response[list[SimilarView]] | Response[JobView]
Distance: TypeAlias = Annotated[
    int, QueryParameter(ge=0, le=64, description="In how many bits of 64 the hashes may differ")
]
NearDistance: TypeAlias = Annotated[int, QueryParameter(ge=0, le=lookalikes.MAX_PROBED)]


class LookAlikes(Controller):
    """Search by perceptual hash: exact for every distance, over the caller's own images."""

    path = "/api/images"
    tags = ("Images",)
    security = BEARER

    @get("/{image_id:uuid}/similar")
    async def similar(
        self,
        image_id: FromPath[UUID],
        asked: NamedDependency[Asked],
        max_distance: Distance = 10,
        limit: Limit = 20,
    ) -> Found:
        """The caller's images that look like this one, the nearest first."""
        asked = asked.waiting(WAIT_S)
        image = await images.owned_by(asked.caller.id, image_id)
        if image.phash is None:
            job = await describing(image, asked)
            if job is not None:
                return in_progress(asked, job)
            image = await images.owned_by(asked.caller.id, image_id)
        wanted = SearchRequest(max_distance=max_distance, limit=limit)
        return await _nearest(image.phash or 0, wanted, asked, but=image.id)

    @post("/search", operation_class=SearchOperation, status_code=HTTP_200_OK, request_max_body_size=None)
    async def search(self, asked: NamedDependency[Asked]) -> Found:
        """The caller's images that look like a file, the image at a URL, or a hash; nothing of it is kept.

        A file or a URL that is not hashed in time is answered with 202 and the job: what it makes is an
        ephemeral image, to be asked for its look-alikes.
        """
        asked = asked.waiting(WAIT_S)
        limit = asked.settings.max_upload_bytes
        if not is_json(asked.request):
            shape = FormShape(files=("image",), fields=("max_distance", "limit"), max_file_bytes=limit)
            async with received_form(asked.request, asked.backends.scratch, shape) as form:
                file = form.file("image")
                return await _search_file(file, _asked_for(form.fields), asked)
        body, _ = await received_json(asked.request, SearchRequest, for_bytes=limit)
        if (body.image_url is None) == (body.phash is None):
            message = "Give either `image_url` or `phash`"
            raise ValidationException(extra=[{"key": "body", "message": message}])
        if body.phash is not None:
            return await _nearest(signed64(body.phash), body, asked)
        url = body.image_url or ""
        if is_data_url(url):
            async with unpacked(url, "image", asked.backends) as file:
                return await _search_file(file, body, asked)
        wanted = Wanted(url=url, retention=Retention.EPHEMERAL)
        job = await ingest.ingest(wanted, asked.caller, asked.backends, request_id=request_id())
        return await _search_job(job, body, asked)

    @get("/duplicates")
    async def duplicates(
        self, caller: NamedDependency[BaseUser], max_distance: NearDistance = 4, limit: Limit = 100
    ) -> Response[list[ClusterView]]:
        """Groups of the caller's images that look alike, the one that holds most bytes too many first."""
        hashed = await lookalikes.all_of(caller.id)
        found = await asyncio.to_thread(clusters, hashed, max_distance)
        views = [msgspec.convert(one, ClusterView, from_attributes=True) for one in found[:limit]]
        return Response(views, headers={"X-Total-Count": str(len(found))})


async def _search_file(file: ReceivedFile, wanted: SearchRequest, asked: Asked) -> Found:
    upload = await receive(asked, file)
    image, _ = await intake.store_upload(
        upload,
        asked.caller,
        asked.backends,
        operations=None,
        retention=Retention.EPHEMERAL,
        request_id=request_id(),
    )
    job = await describing(image, asked)
    if job is not None:
        return in_progress(asked, job)
    return await _search_image(image.id, wanted, asked)


async def _search_job(job: Job, wanted: SearchRequest, asked: Asked) -> Found:
    done = await done_in_time(job, asked.live, prefer_wait_s(asked))
    if done is None or done.result is None:
        return in_progress(asked, job)
    return await _search_image(done.result, wanted, asked)


async def _search_image(image_id: UUID, wanted: SearchRequest, asked: Asked) -> Found:
    """Search by an image that was stored for this alone, and remove it."""
    image: Image = await images.owned_by(asked.caller.id, image_id)
    try:
        return await _nearest(image.phash or 0, wanted, asked, but=image.id)
    finally:
        await retention.delete(image, asked.caller, asked.backends)


async def _nearest(phash: int, wanted: SearchRequest, asked: Asked, *, but: UUID = NOBODY) -> Found:
    found = await lookalikes.find(
        asked.caller.id, phash, max_distance=wanted.max_distance, limit=wanted.limit, but=but
    )
    return Response(await _views(found, asked))


async def _views(found: Sequence[LookAlike], asked: Asked) -> list[SimilarView]:
    stored = await images.by_ids([one.id for one in found])
    views = {view.id: view for view in await present.image_views(stored, asked.at)}
    return [
        SimilarView(**msgspec.structs.asdict(views[one.id]), distance=one.distance)
        for one in found
        if one.id in views
    ]


def _asked_for(fields: dict[str, str]) -> SearchRequest:
    try:
        return msgspec.convert(fields, SearchRequest, strict=False)
    except msgspec.ValidationError as error:
        raise BadUpload(str(error)) from error
