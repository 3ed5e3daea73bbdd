"""A paid call is made once, whatever is killed, stopped or restarted meanwhile."""

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
from libs.edits.submit_edit import EditStored, edit_image
from libs.jobs.build import JobOptions
from libs.jobs.publish import publish
from libs.storage import images
from libs.storage.database.tables import Image, Job
from tests.edits.conftest import EditBackends, EditSite, NewEditBackends, NewEditSite, open_edit_site
from tests.edits.edit_requests import PROMPT, children_of, queued, record, stored, used
from tests.edits.openai_server import OpenAIServer, responds_when_released
from tests.storage.rows import an_owner, job_row
from tests.support.backends import ended, opened_backends, submit, working
from tests.support.fault_proxy import FaultProxy
from tests.support.services import own_vhost
from tests.support.site import Site
from tests.support.site_jobs import objects_url, stored_keys, working_app
from tests.support.waiting import WAIT_S


async def called(edit_site: EditSite) -> tuple[str, str]:
    """An image and the job whose call is under way, held until the test lets it go on."""
    edit_site.openai.responders.append(responds_when_released(edit_site.openai))
    source = await stored(edit_site.client)
    job_id = await queued(edit_site.client, source)
    await asyncio.wait_for(edit_site.openai.begun.wait(), WAIT_S)
    return source, job_id


async def again(site: Site, name: str) -> None:
    await site.start(name)
    await site.ready()


async def in_the_log(site: Site, word: str) -> None:
    async with asyncio.timeout(WAIT_S):
        while word not in site.logs():
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("attempts", ["5", "1"], ids=["found by the next worker", "found by the sweep"])
async def test_a_call_whose_worker_is_killed_is_not_made_again_and_the_job_says_why(
    new_edit_site: NewEditSite, attempts: str
) -> None:
    edit_site = await new_edit_site(JOB_LEASE_S="3", MAX_ATTEMPTS=attempts)
    source, job_id = await called(edit_site)
    name = working_app(edit_site.site)
    await edit_site.site.kill(name)
    await again(edit_site.site, name)
    job = await edit_site.client.job_done(job_id)
    assert (job["status"], job["error_code"], job["result_id"]) == ("failed", "edit_timed_out", None)
    assert "may have run and been paid for" in job["error"]
    view = await record(edit_site.client, source)
    assert (view["status"], view["error_code"], view["error"]) == ("failed", "edit_timed_out", job["error"])
    assert len(edit_site.openai.calls) == 1
    today = (await used(edit_site.client))["today"]
    assert (today["calls"], today["images"]) == (1, 0)
    assert len(await stored_keys(objects_url(edit_site.site))) == 1


@pytest.mark.parametrize("new_edit_site", ["embedded"], indirect=True)
async def test_a_request_to_a_silent_vendor_that_is_repeated_with_its_key_makes_one_call(
    new_edit_site: NewEditSite,
) -> None:
    edit_site = await new_edit_site(OPENAI_TIMEOUT_S="2")
    edit_site.openai.responders.append(responds_when_released(edit_site.openai))
    source = await stored(edit_site.client)
    for _ in range(3):
        answer = await edit_site.client.post(
            f"/api/images/{source}/edit",
            json={"prompt": PROMPT},
            headers={"Prefer": "wait=60", "Idempotency-Key": "one"},
        )
        assert (answer.status, answer.code) == (504, "edit_timed_out")
    assert len(edit_site.openai.calls) == 1


async def test_a_stopped_worker_waits_for_a_response_that_is_about_to_come(
    new_edit_site: NewEditSite,
) -> None:
    edit_site = await new_edit_site()
    source, job_id = await called(edit_site)
    name = working_app(edit_site.site)
    process = edit_site.site.apps.pop(name)
    os.kill(process.pid, signal.SIGTERM)
    edit_site.openai.may_respond.set()
    await asyncio.wait_for(process.wait(), WAIT_S)
    await again(edit_site.site, name)
    job = await edit_site.client.job_done(job_id)
    assert (job["status"], job["attempts"]) == ("completed", 1)
    assert await children_of(edit_site.client, source) == [job["result_id"]]
    assert len(edit_site.openai.calls) == 1


async def test_a_stopped_worker_does_not_wait_for_ever_and_the_call_is_not_made_again(
    new_edit_site: NewEditSite,
) -> None:
    edit_site = await new_edit_site()
    _, job_id = await called(edit_site)
    name = working_app(edit_site.site)
    await edit_site.site.stop(name)
    await again(edit_site.site, name)
    job = await edit_site.client.job_done(job_id)
    assert (job["status"], job["error_code"]) == ("failed", "edit_timed_out")
    assert "stopped" in job["error"]
    assert len(edit_site.openai.calls) == 1


async def test_a_call_that_its_owner_cancels_leaves_nothing(new_edit_site: NewEditSite) -> None:
    edit_site = await new_edit_site()
    source, job_id = await called(edit_site)
    assert (await edit_site.client.call("DELETE", f"/api/jobs/{job_id}")).status == 200
    await in_the_log(edit_site.site, "job_lost")
    edit_site.openai.may_respond.set()
    job = await edit_site.client.job_done(job_id)
    assert (job["status"], job["result_id"]) == ("cancelled", None)
    assert await children_of(edit_site.client, source) == []
    assert len(edit_site.openai.calls) == 1
    assert len(await stored_keys(objects_url(edit_site.site))) == 1


@pytest.mark.services
async def test_one_call_is_made_over_a_broker_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    async with (
        own_vhost() as broker_url,
        FaultProxy.to(broker_url) as proxy,
        open_edit_site("services", tmp_path / "site", BROKER_URL=proxy.url) as edit_site,
    ):
        source, job_id = await called(edit_site)
        proxy.cut()
        await asyncio.wait_for(proxy.refused.wait(), WAIT_S)
        proxy.restore()
        await in_the_log(edit_site.site, "job_not_free")  # the message came again
        edit_site.openai.may_respond.set()
        job = await edit_site.client.job_done(job_id)
        assert job["status"] == "completed"
        assert await children_of(edit_site.client, source) == [job["result_id"]]
        assert len(edit_site.openai.calls) == 1


async def submitted_edit(edit_backends: EditBackends, photo: Path) -> tuple[Image, Job]:
    """A stored image, and an edit of it that is queued; its call will be held."""
    backends, owner = edit_backends.backends, await an_owner()
    edit_backends.openai.responders.append(responds_when_released(edit_backends.openai))
    image, _ = await submit(backends, owner, photo, None)
    command = EditStored(
        owner=owner,
        image=image,
        edit=Edit(prompt=PROMPT),
        options=JobOptions(request_id="test"),
        retention=Retention.KEEP,
    )
    return image, await edit_image(command, backends)


async def test_a_message_that_comes_again_during_a_call_starts_no_second_one(
    new_edit_backends: NewEditBackends, photo: Path
) -> None:
    edit_backends = await new_edit_backends()
    image, job = await submitted_edit(edit_backends, photo)
    with capture_logs() as logs:
        async with working(edit_backends.backends), working(edit_backends.backends):
            await asyncio.wait_for(edit_backends.openai.begun.wait(), WAIT_S)
            for _ in range(5):
                await publish(job, edit_backends.backends)
            await logged(logs, "job_not_free", times=5)
            edit_backends.openai.may_respond.set()
            done = await ended(job.id)
    assert (done.status, done.attempts) == (JobStatus.COMPLETED, 1)
    assert await Image.count().where(Image.parent == image.id) == 1
    assert len(edit_backends.openai.calls) == 1


async def test_the_lease_is_kept_for_as_long_as_a_call_takes(
    new_edit_backends: NewEditBackends, photo: Path
) -> None:
    edit_backends = await new_edit_backends(JOB_LEASE_S="6")
    _, job = await submitted_edit(edit_backends, photo)
    async with (
        working(edit_backends.backends),
        working(edit_backends.backends),
        scheduling(edit_backends.backends),
    ):
        await asyncio.wait_for(edit_backends.openai.begun.wait(), WAIT_S)
        first = (await job_row(job.id)).lease_until
        async with asyncio.timeout(WAIT_S):
            while (await job_row(job.id)).lease_until < first + timedelta(seconds=8):
                await asyncio.sleep(0.1)
        edit_backends.openai.may_respond.set()
        done = await ended(job.id)
    assert done.status == JobStatus.COMPLETED
    assert len(edit_backends.openai.calls) == 1


async def test_an_answer_is_kept_until_the_object_store_is_back(tmp_path: Path, photo: Path) -> None:
    mount, away = tmp_path / "mount", tmp_path / "away"
    mount.mkdir()
    async with (
        OpenAIServer.open() as openai,
        opened_backends(
            tmp_path, OBJECTS_URL=mount.as_uri(), MAX_ATTEMPTS="8", **openai.settings
        ) as backends,
    ):
        edit_backends = EditBackends(backends, openai)
        image, job = await submitted_edit(edit_backends, photo)
        with capture_logs() as logs:
            async with working(backends):
                await asyncio.wait_for(openai.begun.wait(), WAIT_S)
                mount.rename(away)
                openai.may_respond.set()
                await logged(logs, "edit_waits")
                away.rename(mount)
                done = await ended(job.id)
        assert (done.status, done.attempts) == (JobStatus.COMPLETED, 1)
        result = await images.by_id(done.result)
        assert result is not None
        assert result.parent == image.id
        assert sorted([stored.key async for stored in backends.objects.scan("")]) == sorted(
            [image.object_key, result.object_key]
        )
    assert len(openai.calls) == 1


async def logged(logs: list[Any], event: str, *, times: int = 1) -> None:
    async with asyncio.timeout(WAIT_S):
        while len([one for one in logs if one["event"] == event]) < times:
            await asyncio.sleep(0.02)
