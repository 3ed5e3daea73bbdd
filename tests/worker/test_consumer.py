"""What a worker does with its messages and its render processes."""

import asyncio
import json
from pathlib import Path
from uuid import UUID

import pytest

from apps.scheduler.scheduler import scheduling
from libs.backends import Backends
from libs.broker.port import BrokerMessage
from libs.contracts.enums import JobKind, JobStatus, Retention
from libs.contracts.topology import Route
from libs.jobs import publish
from libs.jobs.cancel import cancel
from libs.storage.database.tables import Image, Job
from tests.broker.broker_client import broker_client_of
from tests.storage.rows import a_queued_job, an_owner, job_row
from tests.support.backends import NewBackends, busy_render_process, ended, processes, submit, working
from tests.support.shared_sites import signed_in
from tests.support.site import running_site
from tests.support.site_jobs import (
    ENDLESS,
    SLOW,
    SMALL,
    accepted,
    results_of,
    until_ended,
    until_stored,
)
from tests.support.waiting import WAIT_S


async def next_job_works(backends: Backends, photo: Path) -> None:
    _, job = await submit(backends, await an_owner(), photo, SMALL)
    assert (await ended(job.id)).status == JobStatus.COMPLETED


async def keys_of(backends: Backends) -> list[str]:
    return [stored.key async for stored in backends.objects.scan("")]


@pytest.mark.services
async def test_two_workers_share_a_hundred_jobs(tmp_path: Path, photo: Path) -> None:
    async with running_site("services", tmp_path / "site") as site, signed_in(site) as client:
        await site.start("worker", called="worker-2")
        await site.logged("worker-2", "worker_started")
        ids: list[str] = []
        for _ in range(10):
            ids += await asyncio.gather(*(accepted(client, photo, SMALL) for _ in range(10)))
        jobs = [await client.job_done(job_id) for job_id in ids]
        assert {job["status"] for job in jobs} == {"completed"}
        for job in jobs:
            assert await results_of(client, job) == [job["result_id"]]
        await until_stored(site, 200)
        for name in ("worker", "worker-2"):
            assert "job_completed" in site.log_of(name).read_text()


async def test_a_message_that_comes_many_times_runs_once(new_backends: NewBackends, photo: Path) -> None:
    backends = await new_backends()
    _, job = await submit(backends, await an_owner(), photo, SMALL)
    for _ in range(10):
        await publish.publish(job, backends)
    async with working(backends):
        done = await ended(job.id)
        await next_job_works(backends, photo)  # behind all copies in the queue
    assert (done.status, (await job_row(job.id)).attempts) == (JobStatus.COMPLETED, 1)
    assert await Image.count().where(Image.parent == job.image) == 1


async def test_a_cancelled_job_stops_its_render_process_and_leaves_nothing(
    new_backends: NewBackends, large_photo: Path, photo: Path
) -> None:
    backends = await new_backends()
    owner = await an_owner()
    async with working(backends):
        image, job = await submit(backends, owner, large_photo, ENDLESS)
        render_process = await busy_render_process()
        await cancel(owner, job.id, backends)
        await until_ended([render_process])
        await next_job_works(backends, photo)
    assert (await job_row(job.id)).status == JobStatus.CANCELLED
    assert [key for key in await keys_of(backends) if key.startswith(f"{owner.username}/")] == [
        image.object_key
    ]
    assert await Image.count().where(Image.parent == image.id) == 0


@pytest.mark.parametrize("new_backends", ["embedded"], indirect=True)
async def test_a_job_whose_command_cannot_be_decoded_fails_with_an_event(new_backends: NewBackends) -> None:
    backends = await new_backends()
    job = await a_queued_job(command="{}")
    async with backends.broker.events("job.failed") as events, working(backends):
        await publish.publish(job, backends)
        event = json.loads((await asyncio.wait_for(anext(events), WAIT_S)).body)
    assert (event["job_id"], event["error_code"]) == (str(job.id), "bad_message")
    assert (await job_row(job.id)).status == JobStatus.FAILED


@pytest.mark.parametrize("new_backends", ["embedded"], indirect=True)
async def test_a_job_whose_render_process_dies_runs_again(new_backends: NewBackends, photo: Path) -> None:
    backends = await new_backends()
    async with scheduling(backends), working(backends):
        _, job = await submit(backends, await an_owner(), photo, SLOW)
        (await busy_render_process()).kill()
        done = await ended(job.id)
        assert (done.status, done.attempts, done.crashes) == (JobStatus.COMPLETED, 2, 1)


@pytest.mark.parametrize("new_backends", ["embedded"], indirect=True)
async def test_a_job_whose_render_process_dies_three_times_fails_alone(
    new_backends: NewBackends, large_photo: Path, photo: Path
) -> None:
    backends = await new_backends()
    async with scheduling(backends), working(backends):
        _, job = await submit(backends, await an_owner(), large_photo, ENDLESS)
        for _ in range(3):
            killed = await busy_render_process()
            killed.kill()
            await until_ended([killed])
        failed = await ended(job.id)
        assert (failed.status, failed.error_code, failed.attempts) == (JobStatus.FAILED, "render_crashed", 3)
        assert "as 2 before it" in str(failed.error)
        await next_job_works(backends, photo)


async def test_render_processes_that_die_while_idle_are_replaced(
    new_backends: NewBackends, photo: Path
) -> None:
    backends = await new_backends()
    async with working(backends):
        await next_job_works(backends, photo)
        waiting = processes()
        assert waiting
        for render_process in waiting:
            render_process.kill()
        await until_ended(waiting)
        await next_job_works(backends, photo)


async def test_a_job_that_takes_too_long_is_stopped(
    new_backends: NewBackends, large_photo: Path, photo: Path
) -> None:
    backends = await new_backends(JOB_TIMEOUT_S="5")
    async with working(backends):
        _, job = await submit(backends, await an_owner(), large_photo, ENDLESS)
        failed = await ended(job.id)
        assert (failed.status, failed.error_code) == (JobStatus.FAILED, "render_timeout")
        await next_job_works(backends, photo)


async def test_a_job_that_takes_too_much_memory_fails_alone(
    new_backends: NewBackends, large_photo: Path, photo: Path
) -> None:
    backends = await new_backends(JOB_MEMORY_BYTES=str(400 * 1024**2))
    async with working(backends):
        enlarged = [{"op": "resize", "width": 7000, "height": 7000, "fit": "fill", "enlarge": True}]
        _, job = await submit(backends, await an_owner(), large_photo, enlarged)
        failed = await ended(job.id)
        assert (failed.status, failed.error_code) == (JobStatus.FAILED, "render_out_of_memory")
        await next_job_works(backends, photo)


@pytest.mark.parametrize("body", [b"no json", b"\xff\xfe", b'{"type": "transform.v9"}', b"{}", b""])
async def test_a_bad_message_is_put_aside_with_its_reason(
    new_backends: NewBackends, photo: Path, body: bytes
) -> None:
    backends = await new_backends()
    async with broker_client_of(backends) as broker_client, working(backends):
        await broker_client.send(Route.TRANSFORM, BrokerMessage(body=body))
        dead = await broker_client.next_dead()
        assert dead.body == body
        assert dead.headers["x-error"].startswith("bad_message: ")
        await next_job_works(backends, photo)


async def test_a_message_of_an_unknown_job_is_dropped(new_backends: NewBackends, photo: Path) -> None:
    backends = await new_backends()
    _, job = await submit(backends, await an_owner(), photo, SMALL)
    await Job.delete().where(Job.id == job.id)
    async with working(backends):
        await next_job_works(backends, photo)
    assert await Job.count() == 1


async def test_a_command_that_cannot_be_read_any_more_fails_its_job(
    new_backends: NewBackends, photo: Path
) -> None:
    backends = await new_backends()
    _, job = await submit(backends, await an_owner(), photo, SMALL)
    await Job.update({Job.command: '{"type": "transform.v0"}'}).where(Job.id == job.id)
    async with working(backends):
        failed = await ended(job.id)
    assert (failed.status, failed.error_code) == (JobStatus.FAILED, "bad_message")


async def test_hashes_never_hold_up_a_transform(
    new_backends: NewBackends, large_photo: Path, photo: Path
) -> None:
    backends = await new_backends()
    owner = await an_owner()
    hashes: list[UUID] = []
    for _ in range(8):
        _, job = await submit(backends, owner, large_photo, None, Retention.KEEP)
        assert job.kind == JobKind.DESCRIBE
        hashes.append(job.id)
    _, transform = await submit(backends, owner, photo, SMALL)
    async with working(backends), scheduling(backends):
        finished = [(await ended(job_id)).finished_at for job_id in hashes]
        done = await ended(transform.id)
    assert done.finished_at is not None
    later = [one for one in finished if one is not None and one > done.finished_at]
    assert len(later) > 2  # in one queue with it, the hashes would be done, but for those under way
