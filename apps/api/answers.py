"""Answers that depend on a job: with its result when it is done in time, else where to find it."""

import asyncio
from typing import Any

from litestar import Request, Response
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED
from structlog.contextvars import bind_contextvars

from apps.api import present
from apps.api.live import Live
from apps.api.waiting import done_in_time, prefer_wait_s
from libs.backends import Backends
from libs.contracts.messages import IngestImage, decode
from libs.contracts.views import ImageView, JobView
from libs.contracts.words import JobKind
from libs.storage import images, jobs
from libs.storage.tables import Image, Job


async def created(
    request: Request[Any, Any, Any],
    image: Image,
    job: Job | None,
    backends: Backends,
    live: Live,
    *,
    wait_s: float = 0,
    is_new: bool = True,
) -> Response[ImageView]:
    """An image that was stored; with a job that transforms it, 202 until that is done."""
    if job is not None:
        bind_contextvars(job_id=str(job.id))  # the request's own log line tells which job it made
    wait_s = prefer_wait_s(request, default=wait_s)
    return await _stored(request, image, job, backends, live, wait_s=wait_s, is_new=is_new)


async def _stored(
    request: Request[Any, Any, Any],
    image: Image,
    job: Job | None,
    backends: Backends,
    live: Live,
    *,
    wait_s: float,
    is_new: bool,
) -> Response[ImageView]:
    done = await done_in_time(job, live, wait_s) if job is not None else None
    at = present.origin(request, backends.settings)
    headers = _applied(request, wait_s)
    status = HTTP_201_CREATED if is_new else HTTP_200_OK
    if done is not None:
        rows = {one.id: one for one in await images.by_ids([image.id, done.result or image.id])}
        result = rows.get(done.result) if done.result else None
        view = present.image_view(rows.get(image.id, image), done, at, result=result)
        return Response(view, status_code=status, headers={"Location": view.url, **headers})
    view = present.image_view(image, job, at, pace=await present.pace_of([job] if job else []))
    if job is None or job.kind == JobKind.DESCRIBE:  # what was asked for is there, its hash is not
        return Response(view, status_code=status, headers={"Location": view.url, **headers})
    where = f"{at}/api/jobs/{job.id}"
    return Response(view, status_code=HTTP_202_ACCEPTED, headers={"Location": where, **headers})


async def ingested(
    request: Request[Any, Any, Any], job: Job, backends: Backends, live: Live, *, wait_s: float
) -> Response[ImageView] | Response[JobView]:
    """The image that a job fetches, and its result where one was asked for: 202 until that is done."""
    bind_contextvars(job_id=str(job.id))
    wait_s = prefer_wait_s(request, default=wait_s)
    started = asyncio.get_running_loop().time()
    done = await done_in_time(job, live, wait_s)
    at = present.origin(request, backends.settings)
    headers = _applied(request, wait_s)
    if done is None or done.result is None:
        view = present.job_view(done or job, at)
        where = {"Location": view.url, **headers}
        return Response(view, status_code=HTTP_202_ACCEPTED, headers=where)
    command = decode(job.command)
    assert isinstance(command, IngestImage)  # noqa: S101
    image = await images.owned_by(job.owner, done.result)
    is_new = not command.replaces and image.id == command.target
    if command.follow is not None:
        following = await jobs.owned_by(job.owner, command.follow.job_id)
        left_s = max(0.0, wait_s - (asyncio.get_running_loop().time() - started))
        return await _stored(request, image, following, backends, live, wait_s=left_s, is_new=is_new)
    view = (await present.image_views([image], at))[0]
    status = HTTP_201_CREATED if is_new else HTTP_200_OK
    return Response(view, status_code=status, headers={"Location": view.url, **headers})


async def generated(
    request: Request[Any, Any, Any], job: Job, backends: Backends, live: Live, *, wait_s: float
) -> Response[ImageView] | Response[JobView]:
    """The image that a job makes of nothing but a prompt: 202 until that is done."""
    bind_contextvars(job_id=str(job.id))
    wait_s = prefer_wait_s(request, default=wait_s)
    done = await done_in_time(job, live, wait_s)
    at = present.origin(request, backends.settings)
    headers = _applied(request, wait_s)
    if done is None or done.result is None:
        view = present.job_view(done or job, at)
        where = {"Location": view.url, **headers}
        return Response(view, status_code=HTTP_202_ACCEPTED, headers=where)
    image = await images.owned_by(job.owner, done.result)
    view = (await present.image_views([image], at))[0]
    return Response(view, status_code=HTTP_201_CREATED, headers={"Location": view.url, **headers})


def in_progress(job: Job, request: Request[Any, Any, Any], backends: Backends) -> Response[JobView]:
    """202, with the job that has not ended."""
    view = present.job_view(job, present.origin(request, backends.settings))
    return Response(view, status_code=HTTP_202_ACCEPTED, headers={"Location": view.url})


async def job_answer(
    request: Request[Any, Any, Any], job: Job, backends: Backends, live: Live
) -> Response[JobView]:
    """A job: 200 when it is done in time, else 202."""
    bind_contextvars(job_id=str(job.id))
    wait_s = prefer_wait_s(request)
    done = await done_in_time(job, live, wait_s)
    view = present.job_view(done or job, present.origin(request, backends.settings))
    status = HTTP_200_OK if done else HTTP_202_ACCEPTED
    headers = {"Location": view.url, **_applied(request, wait_s)}
    return Response(view, status_code=status, headers=headers)


def _applied(request: Request[Any, Any, Any], wait_s: float) -> dict[str, str]:
    asked = "wait" in ",".join(request.headers.getall("prefer", [])).lower()
    return {"Preference-Applied": f"wait={wait_s:g}"} if wait_s and asked else {}
