"""Claims, leases and ends of jobs: whoever lost the job writes nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import pytest

from libs.contracts.enums import BatchStatus, ImageStatus, JobStatus
from libs.storage import image_expiry, jobs, leases
from libs.storage.database.engine import Engine
from libs.storage.database.errors import DatabaseUnavailable
from libs.storage.database.tables import Batch, Image, Job, now
from libs.storage.job_failure import Failure
from libs.storage.leases import Claim, LostLease
from tests.storage.database_process import run_process
from tests.storage.rows import (
    a_job,
    a_queued_job,
    an_image,
    an_owner,
    claimed,
    complete,
    image_of,
    image_row,
    job_row,
)

pytestmark = pytest.mark.usefixtures("database")

FAILURE = Failure("store_unavailable", "the store does not answer")
LAPSED_S = -1.0


async def test_eight_claims_at_once_have_one_winner() -> None:
    job = await a_queued_job()
    taken = await asyncio.gather(
        *(leases.claim(job.id, worker=str(n), lease_s=60, max_attempts=5) for n in range(8))
    )
    won = [claim for claim in taken if claim is not None]
    assert len(won) == 1
    row = await job_row(job.id)
    assert (row.status, row.worker, row.attempts) == (JobStatus.RUNNING, won[0].worker, 1)


async def test_processes_that_claim_the_same_jobs_share_them(database: Engine, database_url: str) -> None:
    owner = await an_owner()
    image = await an_image(owner)
    ids = ",".join([str((await a_job(owner, image)).id) for _ in range(40)])
    won = await asyncio.gather(*(run_process("claim", database_url, ids) for _ in range(2)))
    assert sum(map(int, won)) == 40
    assert await Job.count().where(Job.attempts == 1) == 40


async def test_a_lease_keeps_others_out_until_it_lapses() -> None:
    job = await a_queued_job()
    first = await claimed(job.id, worker="a", lease_s=60)
    assert await leases.claim(job.id, worker="b", lease_s=60, max_attempts=5) is None
    assert await leases.extend(first, lease_s=LAPSED_S)
    second = await claimed(job.id, worker="b")
    assert (second.attempt, second.worker) == (2, "b")


async def test_a_job_whose_attempts_are_used_up_is_not_claimed_again() -> None:
    job = await a_queued_job()
    for _ in range(2):
        await claimed(job.id, lease_s=LAPSED_S, max_attempts=2)
    assert await leases.claim(job.id, worker="b", lease_s=60, max_attempts=2) is None


async def test_a_job_that_waits_for_its_next_attempt_is_not_claimed_whatever_message_names_it() -> None:
    job = await a_queued_job()
    await leases.retry_later(await claimed(job.id), FAILURE, after_s=3600)
    assert await leases.claim(job.id, worker="b", lease_s=60, max_attempts=5) is None
    await Job.update({Job.not_before: now()}).where(Job.id == job.id)
    assert (await claimed(job.id, worker="b")).attempt == 2


async def test_a_batch_begins_in_the_transaction_that_claims_its_first_job() -> None:
    owner = await an_owner()
    batch = Batch(owner=owner.id, filename="a.csv", total=1)
    await batch.save()
    job = await a_job(owner, await an_image(owner), batch=batch.id)
    await claimed(job.id)
    row = await Batch.objects().where(Batch.id == batch.id).first()
    assert row is not None
    assert (row.status, row.started_at is not None) == (BatchStatus.IN_PROCESS, True)


async def test_a_job_whose_batch_cannot_begin_is_not_claimed() -> None:
    owner = await an_owner()
    batch = Batch(owner=owner.id, filename="a.csv", total=1)
    await batch.save()
    job = await a_job(owner, await an_image(owner), batch=batch.id)
    await Batch.raw("alter table batch rename column started_at to begun_at")
    with pytest.raises((DatabaseUnavailable, asyncpg.UndefinedColumnError)):
        await claimed(job.id)
    row = await job_row(job.id)
    assert (row.status, row.attempts) == (JobStatus.QUEUED, 0)


async def finishing(claim: Claim) -> None:
    owner = await an_owner()
    await complete(claim, owner)


async def describing(claim: Claim) -> None:
    assert claim.image is not None
    await leases.complete_describe(claim, claim.image, {Image.phash: 1})


async def failing(claim: Claim) -> None:
    await leases.fail(claim, FAILURE, source_is_bad=claim.image)


async def retrying(claim: Claim) -> None:
    await leases.retry_later(claim, FAILURE, after_s=0)


LATE: list[Callable[[Claim], Awaitable[None]]] = [finishing, describing, failing, retrying, leases.release]


@pytest.mark.parametrize("write", LATE)
async def test_a_worker_that_lost_its_job_changes_nothing(write: Callable[[Claim], Awaitable[None]]) -> None:
    job = await a_queued_job()
    lost = await claimed(job.id, worker="a", lease_s=LAPSED_S)
    await claimed(job.id, worker="a")  # even by the same worker
    before = (await job_row(job.id)).to_dict(), (await image_row(job.image)).to_dict()
    with pytest.raises(LostLease):
        await write(lost)
    assert not await leases.extend(lost, lease_s=60)
    assert ((await job_row(job.id)).to_dict(), (await image_row(job.image)).to_dict()) == before
    assert await Image.count() == 1


@pytest.mark.parametrize("write", LATE)
async def test_a_cancelled_job_takes_no_result(write: Callable[[Claim], Awaitable[None]]) -> None:
    job = await a_queued_job()
    claim = await claimed(job.id)
    await jobs.cancel(job.owner, job.id)
    with pytest.raises(LostLease):
        await write(claim)
    row = await job_row(job.id)
    assert (row.status, row.result) == (JobStatus.CANCELLED, None)
    assert await Image.count() == 1


async def test_the_result_and_the_end_of_its_job_are_one_step() -> None:
    owner = await an_owner()
    job = await a_job(owner, await an_image(owner))
    claim = await claimed(job.id)
    result = await complete(claim, owner)
    row = await job_row(job.id)
    assert (row.status, row.result, row.lease_until) == (JobStatus.COMPLETED, result.id, None)
    assert row.finished_at is not None
    assert (await image_row(job.image)).status == ImageStatus.READY
    assert await leases.ended_by(claim)


async def test_two_ends_at_once_leave_one_result() -> None:
    owner = await an_owner()
    for _ in range(10):
        job = await a_job(owner, await an_image(owner))
        claim = await claimed(job.id)
        ends = await asyncio.gather(*(complete(claim, owner) for _ in range(4)), return_exceptions=True)
        assert [type(one) for one in ends].count(LostLease) == 3
        assert await Image.count().where(Image.parent == job.image) == 1


async def test_what_follows_on_a_result_is_queued_with_it_or_not_at_all() -> None:
    owner = await an_owner()
    image = await an_image(owner)
    job, next_job = await a_job(owner, image), await a_job(owner, image)
    await Job.delete().where(Job.id == next_job.id)
    claim = await claimed(job.id)
    await jobs.cancel(owner.id, job.id)
    following = Job(**next_job.to_dict())
    with pytest.raises(LostLease):
        await leases.complete_transform(
            claim, image, image_of(owner), followed_by=following, shares_expiry=False, downloaded_s=1
        )
    assert await Job.count() == 1


@pytest.mark.parametrize("status", [ImageStatus.PENDING, ImageStatus.READY])
async def test_a_source_is_marked_as_decoded_once(status: ImageStatus) -> None:
    owner = await an_owner()
    image = await an_image(owner, status=status)
    await complete(await claimed((await a_job(owner, image)).id), owner, shares_expiry=False)
    row = await image_row(image.id)
    assert row.status == ImageStatus.READY
    assert (row.updated_at == image.updated_at) == (status == ImageStatus.READY)


async def test_a_released_job_has_its_attempt_back() -> None:
    job = await a_queued_job()
    await leases.release(await claimed(job.id))
    row = await job_row(job.id)
    assert (row.status, row.attempts, row.worker) == (JobStatus.QUEUED, 0, None)
    assert row.publish_at <= now()
    assert (await claimed(job.id)).attempt == 1


async def test_a_job_to_be_retried_waits_and_keeps_its_error() -> None:
    job = await a_queued_job()
    await leases.retry_later(await claimed(job.id), FAILURE, after_s=3600)
    row = await job_row(job.id)
    assert (row.status, row.attempts) == (JobStatus.QUEUED, 1)
    assert (row.error_code, row.error) == (FAILURE.code, FAILURE.detail)
    assert row.publish_at > now() + timedelta(seconds=3000)


async def test_success_wipes_the_error_of_earlier_attempts() -> None:
    owner = await an_owner()
    job = await a_job(owner, await an_image(owner))
    await leases.retry_later(await claimed(job.id), FAILURE, after_s=0)
    await complete(await claimed(job.id), owner)
    row = await job_row(job.id)
    assert (row.status, row.attempts, row.error_code, row.error) == (JobStatus.COMPLETED, 2, None, None)


async def test_an_image_that_turned_out_to_be_none_goes_with_its_job() -> None:
    job = await a_queued_job()
    await leases.fail(await claimed(job.id), FAILURE, source_is_bad=job.image)
    assert (await job_row(job.id)).status == JobStatus.FAILED
    assert (await image_row(job.image)).status == ImageStatus.DELETING


async def test_failing_and_deleting_at_once_never_wait_for_each_other() -> None:
    owner = await an_owner()
    for _ in range(15):
        image = await an_image(owner)
        claim = await claimed((await a_job(owner, image)).id)
        ends = await asyncio.gather(
            leases.fail(claim, FAILURE, source_is_bad=image.id),
            image_expiry.mark_deleting(image.id),
            return_exceptions=True,
        )
        assert {type(one) for one in ends} <= {type(None), list, LostLease}


async def test_only_an_unfinished_job_of_ones_own_can_be_cancelled() -> None:
    job = await a_queued_job()
    stranger = await an_owner()
    with pytest.raises(jobs.JobNotFound):
        await jobs.cancel(stranger.id, job.id)
    cancelled, batch = await jobs.cancel(job.owner, job.id)
    assert (cancelled.status, batch) == (JobStatus.CANCELLED, None)
    with pytest.raises(jobs.JobEndedAlready):
        await jobs.cancel(job.owner, job.id)
