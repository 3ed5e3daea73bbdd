"""Money is not spent twice, whatever is killed, stopped or restarted while a call is under way."""

import asyncio
import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from apps.scheduler.scheduler import scheduling
from libs.contracts.edits import Edit
from libs.contracts.enums import JobStatus, Retention
from libs.edits import request
from libs.jobs.publish import publish
from libs.storage import images
from libs.storage.database.tables import Image, Job
from tests.broker.rabbit_node import prepared_node
from tests.edits.conftest import NewStudio, NewWorkshop, Studio, Workshop, open_studio
from tests.edits.edit_requests import PROMPT, children_of, queued, record, stored, used
from tests.edits.openai_server import Vendor, held
from tests.storage.rows import an_owner, job_row
from tests.support.backends import ended, opened_backends, submit, working
from tests.support.site import Site
from tests.support.site_jobs import objects_url, stored_keys, working_app

WAIT_S = 60


async def called(studio: Studio) -> tuple[str, str]:
    """An image and the job whose call is under way, held until the test lets it go on."""
    studio.vendor.plays.append(held(studio.vendor))
    source = await stored(studio.client)
    job_id = await queued(studio.client, source)
    await asyncio.wait_for(studio.vendor.begun.wait(), WAIT_S)
    return source, job_id


async def again(site: Site, name: str) -> None:
    await site.start(name)
    await site.ready()


async def in_the_log(site: Site, word: str) -> None:
    async with asyncio.timeout(WAIT_S):
        while word not in site.logs():
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("attempts", ["5", "1"], ids=["found by the next worker", "found by the sweep"])
async def test_a_call_whose_worker_is_killed_is_not_made_again_and_its_owner_is_told_why(
    new_studio: NewStudio, attempts: str
) -> None:
    studio = await new_studio(JOB_LEASE_S="2", MAX_ATTEMPTS=attempts)
    source, job_id = await called(studio)
    name = working_app(studio.site)
    await studio.site.kill(name)
    await again(studio.site, name)
    job = await studio.client.job_done(job_id)
    assert (job["status"], job["error_code"], job["result_id"]) == ("failed", "edit_timed_out", None)
    assert "may have run and been paid for" in job["error"]
    told = await record(studio.client, source)
    assert (told["status"], told["error_code"], told["error"]) == ("failed", "edit_timed_out", job["error"])
    assert len(studio.vendor.calls) == 1
    today = (await used(studio.client))["today"]
    assert (today["calls"], today["images"]) == (1, 0)
    assert len(await stored_keys(objects_url(studio.site))) == 1


async def test_a_stopped_worker_takes_home_the_answer_that_is_about_to_come(new_studio: NewStudio) -> None:
    studio = await new_studio()
    source, job_id = await called(studio)
    name = working_app(studio.site)
    process = studio.site.apps.pop(name)
    os.kill(process.pid, signal.SIGTERM)
    studio.vendor.may_answer.set()
    await asyncio.wait_for(process.wait(), WAIT_S)
    await again(studio.site, name)
    job = await studio.client.job_done(job_id)
    assert (job["status"], job["attempts"]) == ("completed", 1)
    assert await children_of(studio.client, source) == [job["result_id"]]
    assert len(studio.vendor.calls) == 1


async def test_a_stopped_worker_does_not_wait_for_ever_and_nobody_calls_again(new_studio: NewStudio) -> None:
    studio = await new_studio()
    _, job_id = await called(studio)
    name = working_app(studio.site)
    await studio.site.stop(name)
    await again(studio.site, name)
    job = await studio.client.job_done(job_id)
    assert (job["status"], job["error_code"]) == ("failed", "edit_timed_out")
    assert "stopped" in job["error"]
    assert len(studio.vendor.calls) == 1


async def test_a_call_that_its_owner_cancels_leaves_nothing(new_studio: NewStudio) -> None:
    studio = await new_studio()
    source, job_id = await called(studio)
    assert (await studio.client.call("DELETE", f"/api/jobs/{job_id}")).status == 200
    await in_the_log(studio.site, "job_lost")
    studio.vendor.may_answer.set()
    job = await studio.client.job_done(job_id)
    assert (job["status"], job["result_id"]) == ("cancelled", None)
    assert await children_of(studio.client, source) == []
    assert len(studio.vendor.calls) == 1
    assert len(await stored_keys(objects_url(studio.site))) == 1


@pytest.mark.services
async def test_one_call_reaches_the_vendor_over_a_broker_that_restarts(tmp_path: Path) -> None:
    async with prepared_node() as node:
        await node.start()
        opened = open_studio("services", tmp_path / "site", BROKER_URL=node.url)
        async with opened as studio:
            source, job_id = await called(studio)
            await node.kill()
            await node.start()
            await in_the_log(studio.site, "job_not_free")  # the message came again
            studio.vendor.may_answer.set()
            job = await studio.client.job_done(job_id)
            assert (job["status"], job["attempts"]) == ("completed", 1)
            assert await children_of(studio.client, source) == [job["result_id"]]
            assert len(studio.vendor.calls) == 1


async def asked(workshop: Workshop, photo: Path) -> tuple[Image, Job]:
    """A stored image, and an edit of it that is queued; its call will be held."""
    backends, owner = workshop.backends, await an_owner()
    workshop.vendor.plays.append(held(workshop.vendor))
    image, _ = await submit(backends, owner, photo, None)
    job = await request.edit(
        image, owner, Edit(prompt=PROMPT), (), backends, retention=Retention.KEEP, request_id="test"
    )
    return image, job


async def test_a_message_that_comes_again_during_a_call_starts_no_second_one(
    new_workshop: NewWorkshop, photo: Path
) -> None:
    workshop = await new_workshop()
    image, job = await asked(workshop, photo)
    with capture_logs() as logs:
        async with working(workshop.backends), working(workshop.backends):
            await asyncio.wait_for(workshop.vendor.begun.wait(), WAIT_S)
            for _ in range(5):
                await publish(job, workshop.backends)
            await logged(logs, "job_not_free", times=5)
            workshop.vendor.may_answer.set()
            done = await ended(job.id)
    assert (done.status, done.attempts) == (JobStatus.COMPLETED, 1)
    assert await Image.count().where(Image.parent == image.id) == 1
    assert len(workshop.vendor.calls) == 1


async def test_the_lease_is_kept_for_as_long_as_a_call_takes(new_workshop: NewWorkshop, photo: Path) -> None:
    workshop = await new_workshop(JOB_LEASE_S="2")
    _, job = await asked(workshop, photo)
    async with working(workshop.backends), working(workshop.backends), scheduling(workshop.backends):
        await asyncio.wait_for(workshop.vendor.begun.wait(), WAIT_S)
        first = (await job_row(job.id)).lease_until
        async with asyncio.timeout(WAIT_S):
            while (await job_row(job.id)).lease_until < first + timedelta(seconds=5):
                await asyncio.sleep(0.1)
        workshop.vendor.may_answer.set()
        done = await ended(job.id)
    assert (done.status, done.attempts) == (JobStatus.COMPLETED, 1)
    assert len(workshop.vendor.calls) == 1


async def test_an_answer_is_kept_until_the_object_store_is_back(tmp_path: Path, photo: Path) -> None:
    mount, away = tmp_path / "mount", tmp_path / "away"
    mount.mkdir()
    async with (
        Vendor.open() as vendor,
        opened_backends(
            tmp_path, OBJECTS_URL=mount.as_uri(), MAX_ATTEMPTS="8", **vendor.settings
        ) as backends,
    ):
        workshop = Workshop(backends, vendor)
        image, job = await asked(workshop, photo)
        with capture_logs() as logs:
            async with working(backends):
                await asyncio.wait_for(vendor.begun.wait(), WAIT_S)
                mount.rename(away)
                vendor.may_answer.set()
                await logged(logs, "edit_waits")
                away.rename(mount)
                done = await ended(job.id)
        assert (done.status, done.attempts) == (JobStatus.COMPLETED, 1)
        result = await images.by_id(done.result)
        assert result is not None
        assert result.parent == image.id
        assert sorted([key async for key in backends.objects.list("")]) == sorted(
            [image.object_key, result.object_key]
        )
    assert len(vendor.calls) == 1


async def logged(logs: list[Any], event: str, *, times: int = 1) -> None:
    async with asyncio.timeout(WAIT_S):
        while len([one for one in logs if one["event"] == event]) < times:
            await asyncio.sleep(0.02)
