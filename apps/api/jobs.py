"""Routes over jobs."""

from collections.abc import AsyncGenerator
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.status_codes import HTTP_200_OK

from apps.api import present
from apps.api.asked import Asked
from apps.api.listing import Limit, listed
from apps.api.openapi import BEARER
from libs import intake
from libs.contracts.views import JobView
from libs.contracts.words import JobKind, JobStatus
from libs.storage import jobs

STREAM_S = 3600.0  # an event stream ends by itself after an hour; clients reconnect


class Jobs(Controller):
    """Jobs: what is being done, what was done."""

    path = "/api/jobs"
    tags = ("Jobs",)
    security = BEARER

    @get()
    async def list_jobs(
        self,
        asked: NamedDependency[Asked],
        status: FromQuery[JobStatus | None] = None,
        kind: FromQuery[JobKind | None] = None,
        image: FromQuery[UUID | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = 20,
    ) -> Response[list[JobView]]:
        """The caller's jobs, newest first."""
        found, total = await jobs.page(
            asked.caller.id, status=status, kind=kind, image=image, limit=limit, after=after
        )
        return listed([present.job_view(job, asked.at) for job in found], asked, total=total, limit=limit)

    @get("/{job_id:uuid}")
    async def get_job(self, job_id: FromPath[UUID], asked: NamedDependency[Asked]) -> JobView:
        """One job."""
        return present.job_view(await jobs.owned_by(asked.caller.id, job_id), asked.at)

    @delete("/{job_id:uuid}", status_code=HTTP_200_OK)
    async def cancel(self, job_id: FromPath[UUID], asked: NamedDependency[Asked]) -> JobView:
        """Cancel a job that has not ended; nothing of its result is kept."""
        job = await intake.cancel(asked.caller, job_id, asked.backends)
        return present.job_view(job, asked.at)

    @get("/{job_id:uuid}/events", media_type="text/event-stream")
    async def events(self, job_id: FromPath[UUID], asked: NamedDependency[Asked]) -> ServerSentEvent:
        """The job now and at every change, as server-sent events; the stream closes when it has ended."""
        await jobs.owned_by(asked.caller.id, job_id)
        return ServerSentEvent(_changes(asked, job_id), headers={"Cache-Control": "no-store"})


async def _changes(asked: Asked, job_id: UUID) -> AsyncGenerator[ServerSentEventMessage, None]:
    async for job in asked.live.states(asked.caller.id, job_id, within_s=STREAM_S):
        view = present.job_view(job, asked.at)
        yield ServerSentEventMessage(data=msgspec.json.encode(view).decode(), event=view.status)
