"""Routes for jobs."""

from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED, HTTP_202_ACCEPTED

from apps.api.context import RequestContext
from apps.api.middleware.key_access import needs
from apps.api.middleware.stream_access import BY_TICKET
from apps.api.openapi.document import BEARER
from apps.api.responses.event_streams import OpenStream
from apps.api.responses.job_views import follow_of, job_view, job_view_of, job_views_of
from apps.api.responses.lists import Limit, listed
from apps.api.responses.stream_tickets import has_seen, new_ticket, no_more_events
from libs.contracts.enums import JobKind, JobStatus, Scope
from libs.contracts.views.jobs import JobView
from libs.contracts.views.streams import EventTicket
from libs.jobs.cancel import cancel
from libs.jobs.rerun import rerun_own
from libs.storage import jobs
from libs.storage.database.tables import Job

STREAM_S = 3600.0  # the longest that an event stream stays open; clients reconnect


class Jobs(Controller):
    """Jobs: their state, their end, their cancellation, and another try."""

    path = "/api/jobs"
    tags = ("Jobs",)
    security = BEARER
    opt = needs(Scope.JOBS)

    @get(operation_id="listJobs")
    async def list_jobs(
        self,
        context: NamedDependency[RequestContext],
        status: FromQuery[JobStatus | None] = None,
        kind: FromQuery[JobKind | None] = None,
        image: FromQuery[UUID | None] = None,
        in_batch: FromQuery[bool | None] = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = 20,
    ) -> Response[list[JobView]]:
        """List the caller's jobs, newest first."""
        found, total = await jobs.page(
            context.caller.id,
            status=status,
            kind=kind,
            image=image,
            in_batch=in_batch,
            limit=limit,
            after=after,
        )
        views = await job_views_of(found, context.base_url)
        return listed(views, context, total=total, limit=limit)

    @get("/{job_id:uuid}", operation_id="getJob")
    async def get_job(self, job_id: FromPath[UUID], context: NamedDependency[RequestContext]) -> JobView:
        """Get one job."""
        return await job_view_of(await jobs.shown(context.caller.id, job_id), context.base_url)

    @delete("/{job_id:uuid}", operation_id="cancelJob", status_code=HTTP_200_OK)
    async def cancel(self, job_id: FromPath[UUID], context: NamedDependency[RequestContext]) -> JobView:
        """Cancel a job that has not ended. Its result is not kept."""
        job = await jobs.shown(context.caller.id, job_id)
        await cancel(context.caller, follow_of(job) or job_id, context.backends)
        return await job_view_of(await jobs.shown(context.caller.id, job_id), context.base_url)

    @post("/{job_id:uuid}/retry", operation_id="retryJob", status_code=HTTP_202_ACCEPTED)
    async def retry(
        self, job_id: FromPath[UUID], context: NamedDependency[RequestContext]
    ) -> Response[JobView]:
        """Run a failed job again. A failed job of a batch runs again with its batch."""
        job = await jobs.shown(context.caller.id, job_id)
        await rerun_own(context.caller, follow_of(job) or job_id, context.backends)
        view = await job_view_of(await jobs.shown(context.caller.id, job_id), context.base_url)
        return Response(view, status_code=HTTP_202_ACCEPTED, headers={"Location": view.url})

    @get("/{job_id:uuid}/events", operation_id="streamJob", media_type="text/event-stream", opt=BY_TICKET)
    async def events(
        self,
        job_id: FromPath[UUID],
        context: NamedDependency[RequestContext],
        ticket: FromQuery[str | None] = None,
    ) -> ServerSentEvent | Response[Any]:
        """Stream the job and its changes as server-sent events. The stream closes when the job has ended.

        `ticket` takes the place of a header, for browsers. A client that reconnects after the last event is
        answered with 204.
        """
        job = await jobs.shown(context.caller.id, job_id)
        view = await job_view_of(job, context.base_url)
        if view.status not in jobs.UNFINISHED and has_seen(context.request, _event_id(view)):
            return no_more_events()
        opened = context.event_streams.open_stream(context.caller.id)
        return ServerSentEvent(_changes(context, job, opened), headers={"Cache-Control": "no-store"})

    @post("/{job_id:uuid}/events/ticket", operation_id="createJobTicket", status_code=HTTP_201_CREATED)
    async def ticket(self, job_id: FromPath[UUID], context: NamedDependency[RequestContext]) -> EventTicket:
        """Create a ticket that opens the event stream of the job for ten minutes, without a header."""
        job = await jobs.shown(context.caller.id, job_id)
        return new_ticket(job.id, context)


def _event_id(view: JobView) -> str:
    return f"{view.status}-{view.attempts}"


async def _changes(
    context: RequestContext, job: Job, _opened: OpenStream
) -> AsyncGenerator[ServerSentEventMessage, None]:
    async for view in _states(context, job):
        data = msgspec.json.encode(view).decode()
        yield ServerSentEventMessage(data=data, event=view.status, id=_event_id(view))


async def _states(context: RequestContext, job: Job) -> AsyncGenerator[JobView, None]:
    """Yield the states of a job, and then those of the job that follows it, as one."""
    streams = context.event_streams
    async for state in streams.states(job, within_s=STREAM_S):
        following = await jobs.by_ids([follow]) if (follow := follow_of(state)) else []
        if not following:
            yield job_view(state, context.base_url)
            continue
        async for then in streams.states(following[0], within_s=STREAM_S):
            yield job_view(state, context.base_url, following=then)
