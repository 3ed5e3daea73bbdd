"""Workers that are killed or stopped in the middle of a job: one result, nothing left lying."""

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.support.shared_sites import NewSite, signed_in
from tests.support.site import Site, running_site
from tests.support.site_jobs import (
    ENDLESS,
    SLOW,
    SMALL,
    accepted,
    busy_one_of,
    family_of,
    job_of,
    results_of,
    scratch_folders,
    until_ended,
    until_running,
    until_stored,
    working_app,
)
from tests.support.waiting import WAIT_S

QUICK_LEASES = {"JOB_LEASE_S": "2", "MAX_ATTEMPTS": "20"}
"""A killed worker's job is free soon. A living worker may lose a lease too, on a busy machine."""


async def started_again(site: Site, name: str) -> None:
    await site.start(name)
    await site.ready()


async def test_a_job_whose_worker_is_killed_is_done_once_by_the_next(
    new_site: NewSite, large_photo: Path
) -> None:
    site = await new_site(**QUICK_LEASES)
    name = working_app(site)
    async with signed_in(site) as client:
        job_id = await accepted(client, large_photo, SLOW)
        await until_running(client, job_id)
        await busy_one_of(psutil.Process(site.apps[name].pid))
        family, folders = family_of(site, name), scratch_folders(site)
        assert len(family) > 2
        await site.kill(name)
        await until_ended(family)
        await started_again(site, name)
        job = await client.job_done(job_id)
        assert job["status"] == "completed"
        assert job["attempts"] >= 2
        assert await results_of(client, job) == [job["result_id"]]
        await until_stored(site, 2)
        now = scratch_folders(site)
        assert len(now) == len(site.apps)
        assert len(set(now) & set(folders)) == len(site.apps) - 1  # that of the killed is gone
        assert [file.name for folder in now for file in folder.iterdir()] == [".lock"] * len(now)


@pytest.mark.services
async def test_another_worker_takes_over_from_a_killed_one(tmp_path: Path, large_photo: Path) -> None:
    async with (
        running_site("services", tmp_path / "site", **QUICK_LEASES) as site,
        signed_in(site) as client,
    ):
        job_id = await accepted(client, large_photo, SLOW)
        await until_running(client, job_id)
        await site.start("worker", called="worker-2")
        await site.kill("worker")
        job = await client.job_done(job_id)
        assert job["status"] == "completed"
        assert job["attempts"] >= 2
        assert await results_of(client, job) == [job["result_id"]]
        await until_stored(site, 2)


@pytest.mark.parametrize("to_all", [False, True], ids=["SIGTERM", "Ctrl-C"])
async def test_a_stopped_worker_gives_its_job_back(
    new_site: NewSite, large_photo: Path, to_all: bool
) -> None:
    site = await new_site()
    name = working_app(site)
    async with signed_in(site) as client:
        job_id = await accepted(client, large_photo, SLOW)
        await until_running(client, job_id)
        await busy_one_of(psutil.Process(site.apps[name].pid))
        family = family_of(site, name)
        if to_all:  # a terminal sends it to the whole group
            process = site.apps.pop(name)
            os.killpg(process.pid, signal.SIGINT)
            async with asyncio.timeout(WAIT_S):
                assert await process.wait() == 0
        else:
            await site.stop(name)
        await until_ended(family)
        if site.kind == "services":
            job = await job_of(client, job_id)
            assert (job["status"], job["attempts"]) == ("queued", 0)
        await started_again(site, name)
        job = await client.job_done(job_id)
        assert (job["status"], job["attempts"]) == ("completed", 1)
        assert await results_of(client, job) == [job["result_id"]]
        await until_stored(site, 2)
    assert [line for line in site.logs().splitlines() if '"level": "error"' in line] == []


async def test_jobs_queued_before_a_restart_are_done_after_it(new_site: NewSite, photo: Path) -> None:
    site = await new_site(WORKER_CONCURRENCY="1")
    async with signed_in(site) as client:
        ids = [await accepted(client, photo, SMALL) for _ in range(15)]
        for name in list(site.apps):
            await site.stop(name)
        await site.start_all()
        jobs = [await client.job_done(job_id) for job_id in ids]
        assert {job["status"] for job in jobs} == {"completed"}
        for job in jobs:
            assert await results_of(client, job) == [job["result_id"]]
        await until_stored(site, 2 * len(ids))


async def test_the_next_job_is_fetched_while_one_renders(new_site: NewSite, slow_picture: bytes) -> None:
    site = await new_site(WORKER_CONCURRENCY="1")
    async with signed_in(site) as client:
        jobs = [await accepted(client, slow_picture, ENDLESS) for _ in range(3)]
        await until_running(client, jobs[1])
        states = [(await job_of(client, job_id))["status"] for job_id in jobs]
        assert states == ["running", "running", "queued"]
