"""Functions over the per-host throttle of batch jobs.

A batch's job starts held: queued in the database, but without a message. It is released, that is published,
when its host has room and is not paused. The number of released jobs, queued with a message or running, is
limited for each host and in total, so that a batch of any size fills no queue and a slow host delays only its
own jobs.
"""

from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from libs.contracts.enums import JobStatus
from libs.storage import job_timeline
from libs.storage.database.engine import rows
from libs.storage.database.tables import HostPause, Job, now
from libs.storage.jobs import REPUBLISH_S

MAX_HOSTS = 5000  # hosts that one search for room looks at

# Exactly the conditions of the indexes job_held and job_out: SQLite compares their text.
HELD = "status = 'queued' and held = true"
RELEASED = "status in ('queued', 'running') and held = false and host is not null"

HOSTS_WITH_ROOM = f"""
with recursive waiting (host, nth) as (
  select min(host), 1 from job where {HELD} and host > {{}}
  union all
  select (select min(host) from job where {HELD} and host > waiting.host), nth + 1
  from waiting where waiting.host is not null and nth < {MAX_HOSTS}
)
select host from waiting
where host is not null
  and (select count(*) from job where {RELEASED} and job.host = waiting.host) < {{}}
  and not exists (select 1 from host_pause where host_pause.host = waiting.host and until > {{}})
  and exists (select 1 from job where {HELD} and job.host = waiting.host and publish_at <= {{}})
limit {{}}
"""  # noqa: S608 - constants of ours
# One statement finds the room and the jobs: of two at the same moment, both choose the same jobs and one gets
# them.
RELEASE = f"""
update job set held = false, publish_at = {{}} where held = true and id in (
  select id from job where {HELD} and host = {{}} and publish_at <= {{}}
    and not exists (select 1 from host_pause where host_pause.host = {{}} and until > {{}})
  order by publish_at, id
  limit LIMIT
) returning id
"""  # noqa: S608
ROOM = f"""
(select case when count(*) < {{}} then {{}} - count(*) else 0 end from job where {RELEASED} and host = {{}})
"""  # noqa: S608
COUNT_RELEASED = (
    f"select count(*) as released from (select 1 as one from job where {RELEASED} limit {{}}) as counted"  # noqa: S608
)


async def hosts_with_room(*, per_host: int, after: str, limit: int) -> list[str]:
    """Return hosts with held jobs that are due and fewer than `per_host` released jobs.

    They come in alphabetical order, start behind `after`, and are at most `limit`.
    """
    moment = now()
    found = await rows(Job.raw(HOSTS_WITH_ROOM, after, per_host, moment, moment, limit))
    return [row["host"] for row in found]


async def count_released(*, at_most: int) -> int:
    """Count the released jobs of batches; counting stops at `at_most`."""
    return (await rows(Job.raw(COUNT_RELEASED, at_most)))[0]["released"]


async def release(host: str, *, per_host: int) -> list[Job]:
    """Release as many of the host's jobs as it has room for, oldest first; the caller publishes them."""
    return await _release(host, ROOM, per_host, per_host, host)


async def release_next(host: str) -> list[Job]:
    """Release one more of the host's jobs, in place of one whose fetch has just ended."""
    return await _release(host, "1")


async def _release(host: str, limit: str, *values: object) -> list[Job]:
    moment = now()
    published = moment + timedelta(seconds=REPUBLISH_S)
    query = Job.raw(RELEASE.replace("LIMIT", limit), published, host, moment, host, moment, *values)
    released = [row["id"] for row in await rows(query)]
    return await Job.objects().where(Job.id.is_in(released)) if released else []


async def hold_if_paused(job_id: UUID) -> bool:
    """Hold a released job that no worker has claimed yet, if its host is paused; return whether it was."""
    paused_hosts = cast("Any", HostPause.select(HostPause.host).where(HostPause.until > now()))
    held: list[dict[str, Any]] = await (
        Job.update({Job.held: True})
        .where((Job.id == job_id) & (Job.status == JobStatus.QUEUED) & Job.host.is_in(paused_hosts))
        .returning(Job.id)
    )
    return bool(held)


async def hold_lapsed(job: Job) -> bool:
    """Hold a job whose lease lapsed until its host has room; return False when it was claimed meanwhile."""
    moment = now()
    held: list[dict[str, Any]] = await (
        Job.update(
            {
                Job.status: JobStatus.QUEUED,
                Job.held: True,
                Job.publish_at: moment,
                Job.worker: None,
                Job.lease_until: None,
                Job.timeline: job_timeline.appended(job_timeline.line("lapsed")),
            }
        )
        .where(
            (Job.id == job.id)
            & (Job.status == JobStatus.RUNNING)
            & (Job.attempts == job.attempts)
            & (Job.lease_until < moment)
        )
        .returning(Job.id)
    )
    return bool(held)


async def pause(host: str, until: datetime) -> None:
    """Pause a host; an existing pause is never shortened."""
    pause = HostPause(host=host, until=until)
    await HostPause.insert(pause).on_conflict(action="DO NOTHING")
    await HostPause.update({HostPause.until: until}).where(
        (HostPause.host == host) & (HostPause.until < until)
    )


async def purge_pauses() -> int:
    """Delete pauses that are over; return how many."""
    deleted = await rows(HostPause.delete().where(HostPause.until <= now()).returning(HostPause.host))
    return len(deleted)
