"""Routes over jobs."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.status_codes import HTTP_200_OK

from apps.api import present
from apps.api.listing import Limit, listed
from apps.api.live import Live
from apps.api.openapi import BEARER
from libs import intake
from libs.backends import Backends
from libs.contracts.views import JobView
from libs.contracts.words import JobKind, JobStatus
from libs.storage import jobs
from libs.storage.tables import BaseUser

STREAM_S = 3600.0  # an event stream ends by itself after an hour; clients reconnect


class Jobs(Controller):
    """Jobs: what is being done, what was done."""

    path = "/api/jobs"
    tags = ("Jobs",)
    security = BEARER

    @get()
    async def list_jobs(
        self,
        request: Request[Any, Any, Any],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
        status: FromQuery[JobStatus | None] = None,
        kind: FromQuery[JobKind | None] = None,
        image: FromQuery[UUID | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = 20,
    ) -> Response[list[JobView]]:
        """The caller's jobs, newest first."""
        found, total = await jobs.page(
            caller.id, status=status, kind=kind, image=image, limit=limit, after=after
        )
        at = present.origin(request, backends.settings)
        return listed([present.job_view(job, at) for job in found], request, at, total=total, limit=limit)

    @get("/{job_id:uuid}")
    async def get_job(
        self,
        request: Request[Any, Any, Any],
        job_id: FromPath[UUID],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
    ) -> JobView:
        """One job."""
        return present.job_view(
            await jobs.owned_by(caller.id, job_id), present.origin(request, backends.settings)
        )

    @delete("/{job_id:uuid}", status_code=HTTP_200_OK)
    async def cancel(
        self,
        request: Request[Any, Any, Any],
        job_id: FromPath[UUID],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
    ) -> JobView:
        """Cancel a job that has not ended; nothing of its result is kept."""
        job = await intake.cancel(caller, job_id, backends)
        return present.job_view(job, present.origin(request, backends.settings))

    @get("/{job_id:uuid}/events", media_type="text/event-stream")
    async def events(
        self,
        request: Request[Any, Any, Any],
        job_id: FromPath[UUID],
        caller: NamedDependency[BaseUser],
        backends: NamedDependency[Backends],
        live: NamedDependency[Live],
    ) -> ServerSentEvent:
        """The job now and at every change, as server-sent events; the stream closes when it has ended."""
        await jobs.owned_by(caller.id, job_id)
        at = present.origin(request, backends.settings)
        return ServerSentEvent(_changes(caller.id, job_id, live, at), headers={"Cache-Control": "no-store"})


async def _changes(
    owner: int, job_id: UUID, live: Live, at: str
) -> AsyncGenerator[ServerSentEventMessage, None]:
    async for job in live.states(owner, job_id, within_s=STREAM_S):
        view = present.job_view(job, at)
        yield ServerSentEventMessage(data=msgspec.json.encode(view).decode(), event=view.status)
