"""Jobs of all accounts."""

from collections.abc import AsyncGenerator
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from apps.api.middleware.key_access import LOGIN_ONLY
from apps.api.openapi.document import LOGIN
from apps.api.operator_context import OperatorContext
from apps.api.responses.event_streams import OpenStream
from apps.api.responses.lists import Limit, Time, in_utc
from apps.api.responses.operator_lists import paged
from apps.api.responses.operator_views import job_detail, owned_jobs
from libs.contracts.enums import JobKind, JobStatus
from libs.contracts.views.operators import JobDetail, OwnedJobView
from libs.jobs.cancel import cancel
from libs.jobs.rerun import rerun
from libs.storage import accounts, jobs, site_lists
from libs.storage.database.tables import Job

STREAM_S = 3600.0  # the longest that an event stream stays open; clients reconnect


class AllJobs(Controller):
    """Jobs of all accounts: found, explained, run again, cancelled."""

    path = "/api/operator/jobs"
    tags = ("Operators",)
    security = LOGIN
    opt = LOGIN_ONLY

    @get(operation_id="listAllJobs")
    async def list_jobs(
        self,
        operator: NamedDependency[OperatorContext],
        owner: FromQuery[str | None] = None,
        status: FromQuery[JobStatus | None] = None,
        kind: FromQuery[JobKind | None] = None,
        error_code: FromQuery[str | None] = None,
        since: Time = None,
        after: FromQuery[UUID | None] = None,
        limit: Limit = 50,
    ) -> Response[list[OwnedJobView]]:
        """List jobs of all accounts, newest first. `error_code` finds failed jobs, without a `status`."""
        found, total = await site_lists.page_of_jobs(
            owner=await site_lists.owner_of(owner),
            status=status,
            kind=kind,
            error_code=error_code,
            since=in_utc("since", since),
            after=after,
            limit=limit,
        )
        return paged(await owned_jobs(found, operator.base_url), operator, total=total, limit=limit)

    @get("/{job_id:uuid}", operation_id="getAnyJob")
    async def get_job(self, job_id: FromPath[UUID], operator: NamedDependency[OperatorContext]) -> JobDetail:
        """Get one job with its command and its timeline."""
        return await job_detail(await _job(job_id), operator.base_url)

    @get("/{job_id:uuid}/events", operation_id="streamAnyJob", media_type="text/event-stream")
    async def events(
        self, job_id: FromPath[UUID], operator: NamedDependency[OperatorContext]
    ) -> ServerSentEvent:
        """Stream one job and its changes as server-sent events. The stream closes when the job has ended."""
        job = await _job(job_id)
        opened = operator.event_streams.open_stream(operator.caller.id)
        return ServerSentEvent(_changes(operator, job, opened), headers={"Cache-Control": "no-store"})

    @post("/{job_id:uuid}/retry", operation_id="retryAnyJob", status_code=HTTP_202_ACCEPTED)
    async def retry(self, job_id: FromPath[UUID], operator: NamedDependency[OperatorContext]) -> JobDetail:
        """Run a failed job again. It does not count for the limits of its account."""
        await rerun(job_id, operator.backends)
        await operator.note("job.retry", job_id)
        return await job_detail(await _job(job_id), operator.base_url)

    @delete("/{job_id:uuid}", operation_id="cancelAnyJob", status_code=HTTP_200_OK)
    async def cancel(self, job_id: FromPath[UUID], operator: NamedDependency[OperatorContext]) -> JobDetail:
        """Cancel a job that has not ended. Its result is not kept."""
        [owner] = await accounts.by_ids([(await _job(job_id)).owner])
        await cancel(owner, job_id, operator.backends)
        await operator.note("job.cancel", job_id, f"of {owner.username}")
        return await job_detail(await _job(job_id), operator.base_url)


async def _changes(
    operator: OperatorContext, job: Job, _opened: OpenStream
) -> AsyncGenerator[ServerSentEventMessage, None]:
    async for state in operator.event_streams.states(job, within_s=STREAM_S):
        if not await operator.may_go_on():
            return
        shown = msgspec.json.encode(await job_detail(state, operator.base_url)).decode()
        yield ServerSentEventMessage(data=shown, event=state.status)


async def _job(job_id: UUID) -> Job:
    found = await jobs.by_ids([job_id])
    if not found:
        raise jobs.JobNotFound(f"there is no job {job_id}")
    return found[0]
