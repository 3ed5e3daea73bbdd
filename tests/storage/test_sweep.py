"""Which jobs are due to be published again, and to whom they are given."""

import asyncio
from datetime import timedelta

import pytest

from libs.contracts.enums import JobStatus
from libs.storage import due_jobs, leases, set_aside
from libs.storage.database.tables import Job, now
from libs.storage.job_failure import Failure
from libs.storage.jobs import REPUBLISH_S
from tests.storage.rows import a_job, a_queued_job, an_image, an_owner, claimed, job_row

pytestmark = pytest.mark.usefixtures("database")

FAILURE = Failure("attempts_exhausted", "every attempt was lost")
HOUR = timedelta(hours=1)


async def test_each_due_job_is_given_to_one_caller() -> None:
    owner = await an_owner()
    image = await an_image(owner)
    due = {(await a_job(owner, image, publish_at=now())).id for _ in range(30)}
    taken = await asyncio.gather(due_jobs.take_due(100), due_jobs.take_due(100), due_jobs.take_due(100))
    ids = [job.id for some in taken for job in some]
    assert len(ids) == 30
    assert set(ids) == due


async def test_a_fresh_job_is_left_to_its_first_message() -> None:
    await a_queued_job()
    assert await due_jobs.take_due(10) == []


async def test_a_taken_job_is_due_again_after_a_time_that_grows_with_its_age() -> None:
    young = await a_queued_job(publish_at=now())
    old = await a_queued_job(publish_at=now(), created_at=now() - HOUR)
    before = now()
    assert len(await due_jobs.take_due(10)) == 2
    young_after, old_after = (await job_row(young.id)).publish_at, (await job_row(old.id)).publish_at
    assert before <= young_after - timedelta(seconds=REPUBLISH_S) <= now()
    assert HOUR - timedelta(minutes=1) < old_after - now() < HOUR + timedelta(minutes=1)


async def test_a_running_job_is_due_only_when_its_lease_has_lapsed() -> None:
    working, dead = await a_queued_job(), await a_queued_job()
    await claimed(working.id, lease_s=60)
    await claimed(dead.id, lease_s=-1)
    assert [job.id for job in await due_jobs.take_due(10)] == [dead.id]


@pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED])
async def test_an_ended_job_is_never_due(status: JobStatus) -> None:
    await a_queued_job(publish_at=now() - HOUR, status=status)
    assert await due_jobs.take_due(10) == []


async def test_the_oldest_due_jobs_come_first() -> None:
    late = await a_queued_job(publish_at=now())
    early = await a_queued_job(publish_at=now() - HOUR)
    assert [job.id for job in await due_jobs.take_due(1)] == [early.id]
    assert [job.id for job in await due_jobs.take_due(1)] == [late.id]


async def test_a_job_lost_with_every_worker_is_given_up_once() -> None:
    job = await a_queued_job()
    await claimed(job.id, lease_s=-1, max_attempts=1)
    [lapsed] = await due_jobs.take_due(10)
    gave_up = await asyncio.gather(*(due_jobs.give_up(lapsed, FAILURE) for _ in range(4)))
    assert sorted(ended for ended, _ in gave_up) == [False, False, False, True]
    row = await job_row(job.id)
    assert (row.status, row.error_code, row.attempts) == (JobStatus.FAILED, FAILURE.code, 1)


async def test_a_job_that_was_claimed_again_is_not_given_up() -> None:
    job = await a_queued_job()
    await claimed(job.id, lease_s=-1)
    [lapsed] = await due_jobs.take_due(10)
    await claimed(job.id)
    assert await due_jobs.give_up(lapsed, FAILURE) == (False, None)


async def test_a_start_with_an_empty_broker_makes_everything_unfinished_due() -> None:
    waiting, running, done = [await a_queued_job() for _ in range(3)]
    await claimed(running.id, lease_s=3600)
    await Job.update({Job.status: JobStatus.COMPLETED}).where(Job.id == done.id)
    await due_jobs.publish_all_soon()
    assert {job.id for job in await due_jobs.take_due(10)} == {waiting.id, running.id}
    assert (await claimed(running.id)).attempt == 2


async def test_a_job_that_kills_its_process_each_time_is_not_started_for_ever() -> None:
    job = await a_queued_job()
    for _ in range(3):
        await claimed(job.id, lease_s=3600, max_attempts=3)
        await due_jobs.publish_all_soon()
    assert await leases.claim(job.id, worker="b", lease_s=60, max_attempts=3) is None


async def test_a_message_that_did_not_get_out_is_sent_at_the_next_sweep() -> None:
    job = await a_queued_job()
    await due_jobs.publish_soon(job.id)
    assert [one.id for one in await due_jobs.take_due(10)] == [job.id]


async def test_a_job_that_was_set_aside_is_due_at_once_when_an_operator_says_so() -> None:
    job = await a_queued_job(publish_at=now() + HOUR)
    await set_aside.put("job", {job.id: "it breaks the sweep"})
    assert await due_jobs.take_due(10) == []
    item = await set_aside.retry_now(job.id)
    assert (item.id, item.reason, item.retry_at <= now()) == (job.id, "it breaks the sweep", True)
    assert [due.id for due in await due_jobs.take_due(10)] == [job.id]
    with pytest.raises(set_aside.ItemNotFound):
        await set_aside.retry_now((await a_queued_job()).id)
