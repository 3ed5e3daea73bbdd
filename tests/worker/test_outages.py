"""Passing faults: what is away comes back, and the work goes on."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from apps.scheduler.scheduler import scheduling
from libs.contracts.enums import JobStatus
from libs.storage.database.tables import Image, Job
from tests.storage.rows import an_owner
from tests.support.backends import ended, opened_backends, submit, working
from tests.support.client import Client
from tests.support.fault_proxy import FaultProxy
from tests.support.services import own_bucket, own_database, own_vhost
from tests.support.shared_sites import signed_in
from tests.support.site import running_site
from tests.support.site_jobs import (
    SLOW,
    SMALL,
    accepted,
    job_of,
    results_of,
    until_running,
    until_stored,
)
from tests.support.waiting import WAIT_S


class Outage:
    """The settings of an object store, and how to take it away and bring it back."""

    def __init__(self, url: str, cut: Callable[[], object], mend: Callable[[], object]) -> None:
        self.url = url
        self.cut = cut
        self.mend = mend


@asynccontextmanager
async def objects_behind(kind: str, directory: Path) -> AsyncGenerator[Outage]:
    if kind == "services":
        async with FaultProxy.to(own_bucket()) as proxy:
            yield Outage(proxy.url, proxy.cut, proxy.restore)
    else:
        mount, away = directory / "mount", directory / "away"
        mount.mkdir()
        yield Outage(mount.as_uri(), lambda: mount.rename(away), lambda: away.rename(mount))


@pytest.fixture(params=["embedded", pytest.param("services", marks=pytest.mark.services)])
async def outage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Outage]:
    async with objects_behind(request.param, tmp_path) as outage:
        yield outage


async def test_a_job_is_tried_again_until_the_object_store_is_back(
    outage: Outage, tmp_path: Path, photo: Path
) -> None:
    async with opened_backends(tmp_path, OBJECTS_URL=outage.url, MAX_ATTEMPTS="50") as backends:
        image, job = await submit(backends, await an_owner(), photo, SMALL)
        outage.cut()
        async with working(backends), scheduling(backends):
            tried = await until_attempts(job, 2)
            assert tried.error_code == "storage_unavailable"
            outage.mend()
            done = await ended(job.id)
        assert (done.status, done.error_code, done.error) == (JobStatus.COMPLETED, None, None)
        assert done.attempts > 2
        assert await Image.count().where(Image.parent == image.id) == 1
        assert len([stored.key async for stored in backends.objects.scan("")]) == 2


async def test_after_the_last_attempt_the_job_has_failed_and_says_why(
    outage: Outage, tmp_path: Path, photo: Path
) -> None:
    async with opened_backends(tmp_path, OBJECTS_URL=outage.url, MAX_ATTEMPTS="2") as backends:
        _, job = await submit(backends, await an_owner(), photo, SMALL)
        outage.cut()
        async with working(backends), scheduling(backends):
            failed = await ended(job.id)
        outage.mend()
    assert (failed.status, failed.attempts) == (JobStatus.FAILED, 2)
    assert failed.error_code == "storage_unavailable"
    assert failed.error


async def until_attempts(job: Job, attempts: int) -> Job:
    async with asyncio.timeout(WAIT_S):
        while True:
            row = await Job.objects().where(Job.id == job.id).first()
            assert row is not None
            if row.attempts >= attempts and row.status == JobStatus.QUEUED:
                return row
            await asyncio.sleep(0.02)


@pytest.mark.services
async def test_an_upload_is_accepted_while_the_broker_is_away(tmp_path: Path, photo: Path) -> None:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(FaultProxy.to(await stack.enter_async_context(own_vhost())))
        site = await stack.enter_async_context(
            running_site("services", tmp_path / "site", BROKER_URL=proxy.url)
        )
        client = await stack.enter_async_context(signed_in(site))
        proxy.cut()
        await asyncio.wait_for(proxy.refused.wait(), WAIT_S)
        ids = [await accepted(client, photo, SMALL) for _ in range(3)]
        assert {(await job_of(client, job_id))["status"] for job_id in ids} == {"queued"}
        proxy.restore()
        for job_id in ids:
            job = await client.job_done(job_id)
            assert job["status"] == "completed"
            assert await results_of(client, job) == [job["result_id"]]


@pytest.mark.services
async def test_a_job_outlives_an_outage_of_the_database(
    tmp_path: Path, photo: Path, large_photo: Path
) -> None:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(
            FaultProxy.to(await stack.enter_async_context(own_database()))
        )
        site = await stack.enter_async_context(
            running_site(
                "services", tmp_path / "site", DATABASE_URL=proxy.url, JOB_LEASE_S="2", MAX_ATTEMPTS="20"
            )
        )
        client = await stack.enter_async_context(Client(site))
        await client.register()  # by HTTP: the proxy of the database runs in this very loop
        await client.login()
        job_id = await accepted(client, large_photo, SLOW)
        await until_running(client, job_id)
        proxy.cut()
        for _ in range(3):
            proxy.refused.clear()
            await asyncio.wait_for(proxy.refused.wait(), WAIT_S)
        proxy.restore()
        await site.ready()
        assert {name: one.returncode for name, one in site.apps.items()} == dict.fromkeys(site.apps)
        job = await client.job_done(job_id)
        assert job["status"] == "completed"
        assert await results_of(client, job) == [job["result_id"]]
        await until_stored(site, 2)
        job = await client.job_done(await accepted(client, photo, SMALL))
        assert job["status"] == "completed"
        assert '"level": "error"' not in site.log_of("worker").read_text()
        assert '"level": "error"' not in site.log_of("scheduler").read_text()


@pytest.mark.services
async def test_the_next_scheduler_goes_on_where_one_was_killed(tmp_path: Path, photo: Path) -> None:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(FaultProxy.to(await stack.enter_async_context(own_vhost())))
        site = await stack.enter_async_context(
            running_site("services", tmp_path / "site", BROKER_URL=proxy.url, EXPIRE_UNDOWNLOADED_S="3")
        )
        client = await stack.enter_async_context(signed_in(site))
        proxy.cut()
        await asyncio.wait_for(proxy.refused.wait(), WAIT_S)
        answers = [await client.upload(photo, SMALL) for _ in range(3)]  # only a sweep can publish these
        for _ in range(3):
            await site.kill("scheduler")
            await site.start("scheduler")
        proxy.restore()
        for answer in answers:
            assert (await client.job_done(answer.json["job_id"]))["status"] == "completed"
        await site.kill("scheduler")
        await site.start("scheduler")
        for answer in answers:
            await client.until_gone(answer.json["id"])
        await until_stored(site, 0)


async def test_a_site_whose_store_was_away_needs_no_restart(tmp_path: Path, photo: Path) -> None:
    async with running_site("embedded", tmp_path / "site") as site, signed_in(site) as client:
        objects = Path(site.settings["DATA_DIR"]) / "objects"
        objects.rename(objects.with_name("away"))
        assert (await client.upload(photo, SMALL)).status == 503
        assert (await client.get("/health/ready")).status == 503
        objects.with_name("away").rename(objects)
        assert (await client.upload(photo, SMALL, wait_s=60)).status == 201
