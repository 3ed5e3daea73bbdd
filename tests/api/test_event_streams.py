"""Event streams: one reader a process however many listen, and a bound for each account."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from apps.api.responses import event_streams
from apps.api.responses.event_streams import EventStreams, TooManyStreams
from libs.broker.memory import MemoryBroker
from libs.contracts.commands import encode
from libs.contracts.enums import JobStatus
from libs.contracts.events import JobEnded
from libs.storage.database.engine import Engine
from libs.storage.database.tables import Job
from tests.batches.csv_files import accepted, products
from tests.storage.rows import a_job, an_image, an_owner
from tests.support.client import Client
from tests.support.shared_sites import NewSite, signed_in
from tests.support.site_contents import refused
from tests.support.site_jobs import SLOW
from tests.support.waiting import WAIT_S, until

WAITERS = 200


async def test_many_waiters_cost_one_query_a_second_and_all_see_the_end(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_s = 0.2  # instead of a second
    monkeypatch.setattr(event_streams, "READ_EVERY_S", every_s)
    owner = await an_owner()
    image = await an_image(owner)
    jobs = [await a_job(owner, image) for _ in range(20)]
    streams, queries, run = EventStreams(per_account=WAITERS), 0, database.run_compiled

    async def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal queries
        queries += 1
        return await run(*arguments, **options)

    async def several() -> bool:
        return queries >= 5

    async def last_state(job: Job) -> str:
        states = [state.status async for state in streams.states(job, within_s=WAIT_S)]
        return states[-1]

    async with streams.listening(MemoryBroker()):
        waiting = [asyncio.create_task(last_state(jobs[number % 20])) for number in range(WAITERS)]
        waiting += [asyncio.create_task(ended(streams, job)) for job in jobs]
        await asyncio.sleep(2 * every_s)
        monkeypatch.setattr(database, "run_compiled", counted)
        began = asyncio.get_running_loop().time()
        await until(several)
        seconds = asyncio.get_running_loop().time() - began
        assert queries <= seconds / every_s + 2
        await Job.update({Job.status: JobStatus.COMPLETED}).where(Job.image == image.id)
        assert set(await asyncio.gather(*waiting)) == {JobStatus.COMPLETED}


async def test_an_end_that_comes_before_its_request_waits_is_not_missed(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_streams, "READ_EVERY_S", 2 * WAIT_S)
    owner, broker = await an_owner(), MemoryBroker()
    image = await an_image(owner)
    early, other = await a_job(owner, image), await a_job(owner, image)
    await Job.update({Job.status: JobStatus.COMPLETED}).where(Job.image == image.id)
    streams = EventStreams(per_account=2)
    async with asyncio.timeout(WAIT_S), streams.listening(broker):
        waiting = asyncio.create_task(ended(streams, other))
        while not waiting.done():  # the listener may not have subscribed yet
            for job in (early, other):
                event = JobEnded(
                    type="job.completed", job_id=job.id, owner=owner.username, status="completed"
                )
                await broker.emit(event.type, encode(event))
            await asyncio.sleep(0)
        assert await ended(streams, early) == JobStatus.COMPLETED


async def ended(streams: EventStreams, job: Job) -> str:
    return (await streams.ended(job, within_s=WAIT_S)).status


async def test_a_stream_counts_until_nothing_refers_to_it() -> None:
    streams = EventStreams(per_account=2)
    held = [streams.open_stream(1) for _ in range(2)]
    with pytest.raises(TooManyStreams):
        streams.open_stream(1)
    assert streams.open_stream(2)
    held.pop()
    assert streams.open_stream(1)


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_an_account_has_a_bounded_number_of_streams(new_site: NewSite, slow_picture: bytes) -> None:
    site = await new_site(EVENT_STREAMS_PER_ACCOUNT="3")
    async with signed_in(site) as client, signed_in(site) as other, AsyncExitStack() as stack:
        image = (await client.upload(slow_picture, SLOW)).json
        path = f"/api/jobs/{image['job_id']}/events"
        headers = {"Authorization": f"Bearer {client.token}"}
        session = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
        streams = [await stack.enter_async_context(session.get(site.url + path)) for _ in range(3)]
        assert [stream.status for stream in streams] == [200] * 3
        batch = await accepted(client, products([["data:,"]]))
        refused(await client.get(f"/api/batches/{batch['id']}/events"), 429, "too_many_streams")
        late = await client.get(path)
        refused(late, 429, "too_many_streams")
        assert late.headers["Retry-After"] == "1"
        assert (await other.get(path)).code == "job_not_found"

        streams[0].close()

        async def opened() -> bool:
            async with session.get(site.url + path) as stream:
                return stream.status == 200

        await until(opened)


async def test_lists_of_jobs_show_operations_without_reading_commands(client: Client, photo: Any) -> None:
    operations = [{"op": "resize", "width": 20}, {"op": "grayscale"}]
    image = (await client.upload(photo, operations, wait_s=60)).json
    [listed] = [job for job in (await client.get("/api/jobs")).json if job["kind"] == "transform"]
    assert [step["op"] for step in listed["operations"]] == ["resize", "grayscale"]
    assert listed == (await client.get(f"/api/jobs/{listed['id']}")).json
    assert listed["image_id"] == image["id"]
