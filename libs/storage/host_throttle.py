"""Letting out the jobs of batches, a few a host.

A batch's job waits parked: queued, but without a message. It is let out when its host has room and has not
asked to be left alone. What is out, queued with a message or running, is bounded for each host and in all, so
that a batch of any size fills no queue, and a slow host holds up none but itself.
"""

from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from libs.contracts.enums import JobStatus
from libs.storage.database.engine import rows
from libs.storage.database.tables import HostPause, Job, now
from libs.storage.jobs import REPUBLISH_S

LOOKED_AT = 5000  # hosts, at most, in one search for those with room

# The conditions are those of the indexes job_held and job_out, word for word: SQLite compares texts.
HELD = "status = 'queued' and held = true"
OUT = "status in ('queued', 'running') and held = false and host is not null"

HOSTS_WITH_ROOM = f"""
with recursive waiting (host, nth) as (
  select min(host), 1 from job where {HELD} and host > {{}}
  union all
  select (select min(host) from job where {HELD} and host > waiting.host), nth + 1
  from waiting where waiting.host is not null and nth < {LOOKED_AT}
)
select host from waiting
where host is not null
  and (select count(*) from job where {OUT} and job.host = waiting.host) < {{}}
  and not exists (select 1 from host_pause where host_pause.host = waiting.host and until > {{}})
  and exists (select 1 from job where {HELD} and job.host = waiting.host and run_after <= {{}})
limit {{}}
"""  # noqa: S608 - constants of ours
# Room and choice in one statement: of two at the same moment both choose the same jobs, and one gets them.
RELEASE = f"""
update job set held = false, run_after = {{}} where held = true and id in (
  select id from job where {HELD} and host = {{}} and run_after <= {{}}
    and not exists (select 1 from host_pause where host_pause.host = {{}} and until > {{}})
  order by run_after, id
  limit LIMIT
) returning id
"""  # noqa: S608
ROOM = f"""
(select case when count(*) < {{}} then {{}} - count(*) else 0 end from job where {OUT} and host = {{}})
"""  # noqa: S608
IN_ALL = f"select count(*) as out from (select 1 as one from job where {OUT} limit {{}}) as counted"  # noqa: S608


async def hosts_with_room(*, per_host: int, after: str, limit: int) -> list[str]:
    """At most `limit` hosts with less than `per_host` jobs out and some to let out, named behind `after`."""
    moment = now()
    found = await rows(Job.raw(HOSTS_WITH_ROOM, after, per_host, moment, moment, limit))
    return [row["host"] for row in found]


async def count_released(*, at_most: int) -> int:
    """How many jobs of batches are out; counting stops at `at_most`."""
    return (await rows(Job.raw(IN_ALL, at_most)))[0]["out"]


async def release(host: str, *, per_host: int) -> list[Job]:
    """Let out as many of the host's jobs as it has room for, oldest first; they are to be published."""
    return await _let_out(host, ROOM, per_host, per_host, host)


async def release_next(host: str) -> list[Job]:
    """Let out one more of the host's jobs, in the place of one whose fetch has just ended."""
    return await _let_out(host, "1")


async def _let_out(host: str, limit: str, *values: object) -> list[Job]:
    moment = now()
    published = moment + timedelta(seconds=REPUBLISH_S)
    query = Job.raw(RELEASE.replace("LIMIT", limit), published, host, moment, host, moment, *values)
    mine = [row["id"] for row in await rows(query)]
    return await Job.objects().where(Job.id.is_in(mine)) if mine else []


async def hold_if_paused(job_id: UUID) -> bool:
    """Take back a job that was let out and that nobody has taken, if its host is to be left alone now."""
    asked = cast("Any", HostPause.select(HostPause.host).where(HostPause.until > now()))
    parked: list[dict[str, Any]] = await (
        Job.update({Job.held: True})
        .where((Job.id == job_id) & (Job.status == JobStatus.QUEUED) & Job.host.is_in(asked))
        .returning(Job.id)
    )
    return bool(parked)


async def hold_lapsed(job: Job) -> bool:
    """Let a job whose worker was lost wait for its turn again; False when it moved on meanwhile."""
    moment = now()
    parked: list[dict[str, Any]] = await (
        Job.update(
            {
                Job.status: JobStatus.QUEUED,
                Job.held: True,
                Job.run_after: moment,
                Job.worker: None,
                Job.lease_until: None,
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
    return bool(parked)


async def pause(host: str, until: datetime) -> None:
    """Leave a host alone; a pause that is there already is only ever made longer."""
    pause = HostPause(host=host, until=until)
    await HostPause.insert(pause).on_conflict(action="DO NOTHING")
    await HostPause.update({HostPause.until: until}).where(
        (HostPause.host == host) & (HostPause.until < until)
    )


async def paused(host: str) -> bool:
    """Whether a host is to be left alone now."""
    return await HostPause.exists().where((HostPause.host == host) & (HostPause.until > now()))


async def purge_pauses() -> int:
    """Remove pauses that are over; how many."""
    gone = await rows(HostPause.delete().where(HostPause.until <= now()).returning(HostPause.host))
    return len(gone)
