"""Holding a job, losing it, and what lost attempts leave behind."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from piccolo.columns import Column

from apps.scheduler.scheduler import scheduling
from apps.worker.lease import under_lease
from libs.backends import Backends
from libs.contracts.commands import TransformImage, decode
from libs.contracts.enums import JobStatus
from libs.images import attempt_files
from libs.storage import images, jobs, object_keys
from libs.storage.database.engine import Engine
from libs.storage.database.tables import Image, Job, now
from libs.storage.leases import Claim, LostLease
from tests.storage.rows import a_job, an_image, an_owner, claimed, complete, job_row
from tests.support.backends import NewBackends, busy_render_process, ended, running, submit, working
from tests.support.site_jobs import ENDLESS, SLOW, SMALL, until_ended
from tests.support.waiting import WAIT_S

QUICK_LEASE_S = 0.06


async def stray_of(claim: Claim, message: TransformImage, backends: Backends) -> str:
    """The object of a worker that was killed right before its last statement."""
    key = object_keys.object_key(
        message.owner,
        message.target,
        "photo.jpg",
        "jpg",
        folder=object_keys.RESULTS,
        when=claim.created_at,
        attempt=claim.attempt,
    )
    path = backends.scratch / "stray"
    path.write_bytes(b"half a result")
    await backends.objects.put(key, path, content_type="image/jpeg", metadata={})
    return key


async def keys_of(backends: Backends) -> list[str]:
    return sorted([stored.key async for stored in backends.objects.scan("")])


async def test_what_killed_attempts_stored_is_cleared_by_the_next(
    new_backends: NewBackends, photo: Path
) -> None:
    backends = await new_backends()
    image, job = await submit(backends, await an_owner(), photo, SMALL)
    message = decode(job.command)
    assert isinstance(message, TransformImage)
    for _ in range(2):
        await stray_of(await claimed(job.id, lease_s=-1), message, backends)
    assert len(await keys_of(backends)) == 3
    async with working(backends), scheduling(backends):
        done = await ended(job.id)
    assert (done.status, done.attempts) == (JobStatus.COMPLETED, 3)
    result = await images.by_id(done.result)
    assert result is not None
    assert await keys_of(backends) == sorted([image.object_key, result.object_key])


async def test_what_the_last_attempt_stored_is_cleared_when_the_job_is_given_up(
    new_backends: NewBackends, photo: Path
) -> None:
    backends = await new_backends(MAX_ATTEMPTS="1")
    image, job = await submit(backends, await an_owner(), photo, SMALL)
    message = decode(job.command)
    assert isinstance(message, TransformImage)
    await stray_of(await claimed(job.id, lease_s=-1), message, backends)
    async with scheduling(backends):
        failed = await ended(job.id)
        assert (failed.status, failed.error_code) == (JobStatus.FAILED, "attempts_exhausted")
        async with asyncio.timeout(WAIT_S):
            while await keys_of(backends) != [image.object_key]:
                await asyncio.sleep(0.02)


async def test_clearing_spares_other_jobs(new_backends: NewBackends, photo: Path) -> None:
    backends = await new_backends()
    owner = await an_owner()
    async with working(backends):
        first, second = [(await submit(backends, owner, photo, SMALL))[1] for _ in range(2)]
        await ended(first.id)
        await ended(second.id)
    message = decode(first.command)
    assert isinstance(message, TransformImage)
    await attempt_files.clear_attempts(message, first.created_at, backends)
    await attempt_files.clear_attempts(message, first.created_at, backends)
    assert len(await keys_of(backends)) == 3


async def test_a_worker_whose_job_was_taken_over_stops_and_leaves_nothing(
    new_backends: NewBackends, large_photo: Path
) -> None:
    backends = await new_backends(JOB_LEASE_S="1")
    image, job = await submit(backends, await an_owner(), large_photo, ENDLESS)
    async with working(backends):
        render_process = await busy_render_process()
        taken_over: dict[Column | str, Any] = {
            Job.worker: "another",
            Job.attempts: 2,
            Job.lease_until: now() + timedelta(hours=1),
        }
        await Job.update(taken_over).where(Job.id == job.id)
        await until_ended([render_process])
    row = await job_row(job.id)
    assert (row.status, row.worker, row.attempts) == (JobStatus.RUNNING, "another", 2)
    assert await keys_of(backends) == [image.object_key]
    assert await Image.count() == 1


async def test_a_result_that_comes_too_late_is_taken_back(
    new_backends: NewBackends, large_photo: Path, photo: Path
) -> None:
    backends = await new_backends(
        JOB_LEASE_S="3600", WORKER_CONCURRENCY="1"
    )  # it does not learn of the loss in time
    owner = await an_owner()
    image, job = await submit(backends, owner, large_photo, SLOW)
    async with working(backends):
        await running(job.id)
        await Job.update({Job.worker: "another"}).where(Job.id == job.id)
        other, next_job = await submit(backends, owner, photo, SMALL)
        done = await ended(next_job.id)
    result = await images.by_id(done.result)
    assert result is not None
    assert await keys_of(backends) == sorted([image.object_key, other.object_key, result.object_key])
    assert await Image.count() == 3


async def test_a_lease_is_extended_for_as_long_as_the_work_takes(database: Engine) -> None:
    owner = await an_owner()
    job = await a_job(owner, await an_image(owner))
    claim = await claimed(job.id, lease_s=QUICK_LEASE_S)
    begun = (await job_row(job.id)).lease_until

    async def work() -> None:
        while (await job_row(job.id)).lease_until < begun + timedelta(seconds=5 * QUICK_LEASE_S):
            await asyncio.sleep(0.01)
        await complete(claim, owner)

    await under_lease(claim, work(), lease_s=QUICK_LEASE_S, cancelled=asyncio.Event())
    assert (await job_row(job.id)).status == JobStatus.COMPLETED


async def test_work_that_lost_its_lease_is_stopped(database: Engine) -> None:
    owner = await an_owner()
    job = await a_job(owner, await an_image(owner))
    claim = await claimed(job.id)
    await jobs.cancel(owner.id, job.id)
    stopped = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    with pytest.raises(LostLease):
        await under_lease(claim, work(), lease_s=QUICK_LEASE_S, cancelled=asyncio.Event())
    assert stopped.is_set()


async def test_work_that_has_ended_its_job_itself_is_not_stopped(database: Engine) -> None:
    owner = await an_owner()
    job = await a_job(owner, await an_image(owner))
    claim = await claimed(job.id)
    finished = asyncio.Event()

    async def work() -> None:
        await complete(claim, owner)
        await asyncio.sleep(3 * QUICK_LEASE_S)  # as long as some attempts to extend
        finished.set()

    await under_lease(claim, work(), lease_s=QUICK_LEASE_S, cancelled=asyncio.Event())
    assert finished.is_set()
