"""Views for operators: records of any account, with the account's name."""

from collections.abc import Sequence
from typing import Any

from apps.api.responses.command_text import readable
from apps.api.responses.job_views import job_view
from apps.api.responses.timelines import timeline_of
from libs.contracts.views.operators import JobDetail, OwnedJobView
from libs.jobs.publish import queue_of
from libs.storage import job_timeline, jobs, site_lists
from libs.storage.database.tables import Job


async def owned_jobs(found: Sequence[Job], base_url: str) -> list[OwnedJobView]:
    """Build the views of jobs. A fetch is shown by itself, without the job that follows it."""
    names = await site_lists.names_of([job.owner for job in found])
    return [OwnedJobView(**_of_job(job, names[job.owner], base_url)) for job in found]


async def job_detail(job: Job, base_url: str) -> JobDetail:
    """Read the rest of a job, and build its view."""
    names = await site_lists.names_of([job.owner])
    return JobDetail(
        **_of_job(job, names[job.owner], base_url),
        command=readable(await jobs.command_of(job.id)),
        request_id=job.request_id,
        not_before=job.not_before,
        lease_until=job.lease_until,
        crashes=job.crashes,
        timeline=timeline_of(job, await job_timeline.of(job.id)),
    )


def _of_job(job: Job, owner: str, base_url: str) -> dict[str, Any]:
    view = job_view(job, base_url)
    return {
        **{name: getattr(view, name) for name in view.__struct_fields__},
        "owner": owner,
        "batch_id": job.batch and str(job.batch),
        "queue": queue_of(job).value,
        "worker": job.worker,
    }
