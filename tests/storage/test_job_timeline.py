"""What happened to a job, as its row keeps it."""

from datetime import timedelta

import pytest

from libs.storage import due_jobs, job_timeline, jobs, leases
from libs.storage.database.tables import Job, now
from libs.storage.job_failure import Failure
from tests.storage.rows import a_queued_job, claimed, job_row

pytestmark = pytest.mark.usefixtures("database")

FAILURE = Failure("store_unavailable", 'the store said "no"\nand closed')


async def test_a_job_keeps_its_claims_lost_leases_retries_and_failures_in_order() -> None:
    job = await a_queued_job()
    await claimed(job.id, worker="a", lease_s=-1)
    await Job.update({Job.publish_at: now() - timedelta(seconds=1)}).where(Job.id == job.id)
    assert [due.id for due in await due_jobs.take_due(10)] == [job.id]
    await leases.retry_later(await claimed(job.id, worker="b"), FAILURE, after_s=0)
    await leases.release(await claimed(job.id, worker="c"))
    last = await claimed(job.id, worker="c")
    assert await leases.extend(last, lease_s=60)
    await leases.fail(last, FAILURE)
    await jobs.retry(job.id)
    entries = await job_timeline.of(job.id)
    assert [(one.event, one.worker, one.attempt) for one in entries] == [
        ("claimed", "a", 1),
        ("published", None, None),
        ("lapsed", None, None),
        ("claimed", "b", 2),
        ("retry", None, None),
        ("claimed", "c", 3),
        ("released", None, None),
        ("claimed", "c", 3),
        ("failed", None, None),
        ("run_again", None, None),
    ]
    retried = entries[4]
    assert (retried.error_code, retried.error) == (FAILURE.code, FAILURE.detail)
    assert retried.not_before is not None
    assert "timeline" not in vars((await jobs.by_ids([job.id]))[0]), "lists do not read it"


async def test_a_job_that_is_claimed_without_end_keeps_a_short_timeline() -> None:
    job = await a_queued_job()
    for _ in range(300):
        await leases.release(await claimed(job.id, worker="w" * 128))
    text = (await job_row(job.id)).timeline
    assert 8000 <= len(text) < 8400
    assert (await job_timeline.of(job.id))[0].event == "claimed"
