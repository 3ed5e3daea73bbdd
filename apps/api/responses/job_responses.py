"""Responses that wait for a job: its result if it ends in time, else the job's address."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from litestar import Response
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED
from msgspec import structs
from structlog.contextvars import bind_contextvars

from apps.api.context import RequestContext
from apps.api.middleware.idempotency import once, required
from apps.api.responses import image_views
from apps.api.responses.job_views import job_view
from apps.api.responses.stream_tickets import job_stream
from apps.api.responses.waiting import done_in_time, prefer_wait_s
from libs.contracts.commands import IngestImage, decode
from libs.contracts.enums import JobKind
from libs.contracts.views.images import ImageView
from libs.contracts.views.jobs import JobView
from libs.storage import images, jobs
from libs.storage.database.tables import Image, Job
from libs.storage.idempotency import Effect, Reservation


async def created(
    context: RequestContext, image: Image, job: Job | None, *, is_new: bool = True, existed: bool = False
) -> Response[ImageView]:
    """Answer with a stored image: 201, or 202 while a job for it runs.

    One that `existed` before the request may have jobs that the request knows nothing of.
    """
    if job is not None:
        bind_contextvars(job_id=str(job.id))  # for the request's own log line
    wait_s = prefer_wait_s(context)
    if existed and (job is None or job.kind == JobKind.DESCRIBE):
        if job is not None and await done_in_time(job, context.event_streams, wait_s) is not None:
            image = await images.owned_by(image.owner, image.id)
        return await _image(context, image, HTTP_201_CREATED if is_new else HTTP_200_OK, wait_s)
    return await _stored(context, image, job, wait_s=wait_s, is_new=is_new)


def with_stream(
    response: Response[ImageView], job: Job | None, context: RequestContext
) -> Response[ImageView]:
    """Name the job's event stream, with a ticket, to who has an upload token and can ask for nothing else."""
    if context.upload_token is not None and job is not None and response.status_code == HTTP_202_ACCEPTED:
        response.content = structs.replace(response.content, events_url=job_stream(job.id, context))
    return response


async def _stored(
    context: RequestContext, image: Image, job: Job | None, *, wait_s: float, is_new: bool
) -> Response[ImageView]:
    done = await done_in_time(job, context.event_streams, wait_s) if job is not None else None
    headers = _applied(context, wait_s)
    status = HTTP_201_CREATED if is_new else HTTP_200_OK
    if done is not None:
        rows = {row.id: row for row in await images.by_ids([image.id, done.result or image.id])}
        result = rows.get(done.result) if done.result else None
        view = image_views.image_view(
            rows.get(image.id, image),
            done,
            context.addresses,
            result=result,
            downloadable=image_views.has_file(done, rows),
        )
        return Response(view, status_code=status, headers={"Location": view.url, **headers})
    view = image_views.image_view(
        image,
        job,
        context.addresses,
        downloadable=image_views.has_file(job, ()),
        durations=await image_views.durations_of([job] if job else []),
    )
    if job is None or job.kind == JobKind.DESCRIBE:  # the image is stored; only its hash is missing
        return Response(view, status_code=status, headers={"Location": view.url, **headers})
    where = f"{context.base_url}/api/jobs/{job.id}"
    return Response(view, status_code=HTTP_202_ACCEPTED, headers={"Location": where, **headers})


async def ingested(context: RequestContext, job: Job) -> Response[ImageView] | Response[JobView]:
    """Answer with the image that a job fetches, and its result if requested; 202 while they are pending."""
    bind_contextvars(job_id=str(job.id))
    wait_s = prefer_wait_s(context)
    started = asyncio.get_running_loop().time()
    done = await done_in_time(job, context.event_streams, wait_s)
    if done is None or done.result is None:
        return in_progress(context, done or job, wait_s)
    command = decode(job.command)
    assert isinstance(command, IngestImage)  # noqa: S101
    image = await images.owned_by(job.owner, done.result)
    is_new = not command.replaces and image.id == command.target
    if command.follow is not None:
        following = await jobs.owned_by(job.owner, command.follow.job_id)
        left_s = max(0.0, wait_s - (asyncio.get_running_loop().time() - started))
        return await _stored(context, image, following, wait_s=left_s, is_new=is_new)
    status = HTTP_201_CREATED if is_new else HTTP_200_OK
    return await _image(context, image, status, wait_s)


async def generated(context: RequestContext, job: Job) -> Response[ImageView] | Response[JobView]:
    """Answer with the image that a job makes from a prompt; 202 while it is pending."""
    bind_contextvars(job_id=str(job.id))
    wait_s = prefer_wait_s(context)
    done = await done_in_time(job, context.event_streams, wait_s)
    if done is None or done.result is None:
        return in_progress(context, done or job, wait_s)
    image = await images.owned_by(job.owner, done.result)
    return await _image(context, image, HTTP_201_CREATED, wait_s)


def in_progress(context: RequestContext, job: Job, wait_s: float = 0) -> Response[JobView]:
    """Answer 202 with a job that has not ended."""
    view = job_view(job, context.base_url)
    headers = {"Location": view.url, **_applied(context, wait_s)}
    return Response(view, status_code=HTTP_202_ACCEPTED, headers=headers)


async def job_once(
    context: RequestContext, request_hash: str, make: Callable[[Reservation | None], Awaitable[Job]]
) -> Response[JobView]:
    """Queue a job, once for an idempotency key, and answer with it."""

    async def find(effect: Effect) -> Job:
        return await jobs.owned_by(context.caller.id, required(effect.job))

    return await once(context, request_hash, make=make, find=find, respond=partial(job_response, context))


async def job_response(context: RequestContext, job: Job) -> Response[JobView]:
    """Answer with a job: 200 if it completes in time, else 202."""
    bind_contextvars(job_id=str(job.id))
    wait_s = prefer_wait_s(context)
    done = await done_in_time(job, context.event_streams, wait_s)
    view = job_view(done or job, context.base_url)
    status = HTTP_200_OK if done else HTTP_202_ACCEPTED
    headers = {"Location": view.url, **_applied(context, wait_s)}
    return Response(view, status_code=status, headers=headers)


async def _image(context: RequestContext, image: Image, status: int, wait_s: float) -> Response[ImageView]:
    view = await image_views.view_of(image, context.addresses)
    headers = {"Location": view.url, **_applied(context, wait_s)}
    return Response(view, status_code=status, headers=headers)


def _applied(context: RequestContext, wait_s: float) -> dict[str, str]:
    preferred = "wait" in ",".join(context.request.headers.getall("prefer", [])).lower()
    return {"Preference-Applied": f"wait={wait_s:g}"} if wait_s and preferred else {}
