"""The event stream of all jobs and batches of an account, and failed jobs that run again."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from apps.api.responses import event_streams
from apps.api.responses.event_streams import EventStreams
from libs.broker.memory import MemoryBroker
from libs.contracts.enums import JobStatus
from libs.storage import account_changes
from libs.storage.database.engine import Engine
from libs.storage.database.tables import Batch, Job, first_id_since, now
from tests.batches.csv_files import accepted, products
from tests.storage.rows import a_job, an_image, an_owner
from tests.support.client import Client
from tests.support.photo_server import PhotoServer
from tests.support.shared_sites import ON_ONE_SITE
from tests.support.site_contents import refused
from tests.support.waiting import WAIT_S, until

Event = dict[str, Any]
SMALLER = [{"op": "resize", "width": 20}]


class Stream:
    """What a client has received of a stream."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Event]] = []
        self.last_id = ""

    def of(self, row_id: str) -> list[Event]:
        return [data for _, data in self.events if data.get("id") == row_id]

    async def until_last(self, row_id: str, test: Callable[[Event], bool]) -> Event:
        """Return the state of a job or batch once it is as it should be."""

        async def found() -> Event:
            seen = self.of(row_id)
            return seen[-1] if seen and test(seen[-1]) else {}

        return await until(found)

    async def until_state(self, state: str) -> None:
        async def found() -> bool:
            return ("state", {"state": state}) in self.events

        await until(found)

    async def read(self, content: aiohttp.StreamReader) -> None:
        name = ""
        async for line in content:
            field, _, value = line.decode().rstrip("\r\n").partition(": ")
            if field == "event":
                name = value
            elif field == "id":
                self.last_id = value
            elif field == "data":
                self.events.append((name, json.loads(value)))


@asynccontextmanager
async def listening(client: Client, *, last_id: str | None = None) -> AsyncGenerator[Stream]:
    """Open the stream by a ticket, as a browser does."""
    ticket = (await client.post("/api/events/ticket")).json
    headers = {"Last-Event-ID": last_id} if last_id is not None else {}
    stream = Stream()
    async with aiohttp.ClientSession() as session, session.get(ticket["url"], headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        reading = asyncio.create_task(stream.read(answer.content))
        try:
            await stream.until_state("ready")
            yield stream
        finally:
            reading.cancel()


def has(status: str) -> Callable[[Event], bool]:
    return lambda event: event["status"] == status


async def from_url(client: Client, url: str) -> str:
    answer = await client.post("/api/images", json={"image_url": url, "operations": SMALLER})
    assert answer.status == 202, answer
    return answer.json["id"]


async def test_one_stream_shows_all_jobs_and_batches_and_a_failed_job_runs_again(
    client: Client, other_client: Client, photo_server: PhotoServer, photo: Path
) -> None:
    name = client.username
    missing, slow = (
        photo_server.url(f"/{name}-late.jpg"),
        photo_server.serve(f"/{name}-slow.jpg", photo.read_bytes()),
    )
    with photo_server.holding(slow) as gate:
        held = await from_url(client, slow)
        async with listening(client) as stream, listening(other_client) as other:
            assert stream.of(held)[0]["status"] in ("queued", "running")
            gate.set()
            made = await stream.until_last(held, has("completed"))
            assert made["result_id"], "the fetch is shown until its operations are done"

            lost = await from_url(client, missing)
            failed = await stream.until_last(lost, has("failed"))
            assert failed["error_code"] == "url_http_error"
            assert "404" in failed["error"]
            refused(await other_client.post(f"/api/jobs/{lost}/retry"), 404, "job_not_found")
            photo_server.serve(f"/{name}-late.jpg", photo.read_bytes())
            again = await client.post(f"/api/jobs/{lost}/retry")
            assert again.status == 202
            assert again.json["status"] != "failed", "by now it may run already"
            await stream.until_last(lost, has("completed"))
            refused(await client.post(f"/api/jobs/{lost}/retry"), 409, "job_not_failed")

            batch = await accepted(client, products([[slow], [photo_server.url("/status/404")]]))
            ended = await stream.until_last(batch["id"], has("Completed"))
            assert (ended["completed"], ended["failed"]) == (1, 1)
            items = (await client.get(f"/api/batches/{batch['id']}")).json["items"]
            of_batch = {item["job_id"] for item in items}
            assert not [job for job in of_batch if stream.of(job)]
            single = (await client.get("/api/jobs?in_batch=false")).json
            assert held in [job["id"] for job in single]
            assert not of_batch & {job["id"] for job in single}
            assert of_batch == {job["id"] for job in (await client.get("/api/jobs?in_batch=true")).json}
            assert not other.of(held), "each account has a stream of its own"
            seen = stream.last_id
    async with listening(client, last_id=seen) as resumed:
        assert resumed.of(batch["id"])[-1]["status"] == "Completed"
    async with listening(client, last_id="1") as late:
        await late.until_state("gap")


@ON_ONE_SITE
async def test_a_batch_that_is_deleted_while_it_runs_leaves_the_stream(
    client: Client, photo_server: PhotoServer
) -> None:
    slow = photo_server.url(f"/{client.username}-held.jpg")
    with photo_server.holding(slow):
        async with listening(client) as stream:
            batch = await accepted(client, products([[slow]]))
            await stream.until_last(batch["id"], lambda event: event["total"] == 1)
            await client.call("DELETE", f"/api/batches/{batch['id']}")
            await stream.until_last(batch["id"], lambda event: "status" not in event)
            assert stream.events[-1] == ("deleted", {"id": batch["id"]})


@ON_ONE_SITE
async def test_the_stream_of_an_account_needs_the_scopes_of_jobs_and_batches(client: Client) -> None:
    made = await client.post("/accounts/me/keys", json={"name": "jobs", "scopes": ["jobs"]})
    key = {"token": made.json["key"]}
    refused(await client.get("/api/events", **key), 403, "scope_missing")
    refused(await client.post("/api/events/ticket", **key), 403, "scope_missing")
    ticket = (await client.post("/api/events/ticket")).json["ticket"]
    refused(await client.get(f"/api/jobs?ticket={ticket}", token=" "), 401, "not_authenticated")


async def test_many_streams_of_an_account_cost_the_queries_of_one(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_s = 0.2  # instead of a second
    monkeypatch.setattr(event_streams, "READ_EVERY_S", every_s)
    owner = await an_owner()
    image = await an_image(owner)
    jobs = [await a_job(owner, image) for _ in range(20)]
    streams, queries, begun = EventStreams(per_account=99), 0, 0

    def counted(run: Callable[..., Any]) -> Callable[..., Any]:
        async def counting(*arguments: Any, **options: Any) -> Any:
            nonlocal queries
            queries += 1
            return await run(*arguments, **options)

        return counting

    async def ended() -> int:
        nonlocal begun
        done: set[object] = set()
        async for feed, seen in streams.account_changes(owner.id, within_s=WAIT_S):
            begun += seen == 0
            done |= {state.id for state in feed.since(seen) if not state.unfinished}
            if len(done) == len(jobs):
                break
        return len(done)

    async def all_begun() -> bool:
        return begun >= len(waiting)

    async def several() -> bool:
        return queries >= 20

    async with streams.listening(MemoryBroker()):
        waiting = [asyncio.create_task(ended()) for _ in range(50)]
        await until(all_begun)
        for name in ("run_compiled", "run_querystring"):
            monkeypatch.setattr(database, name, counted(getattr(database, name)))
        began = asyncio.get_running_loop().time()
        await until(several)
        seconds = asyncio.get_running_loop().time() - began
        assert queries <= 5 * (seconds / every_s + 2), "batches, and jobs by their state, age and id"
        await Job.update({Job.status: JobStatus.COMPLETED}).where(Job.image == image.id)
        assert set(await asyncio.gather(*waiting)) == {len(jobs)}


async def test_a_stream_is_resumed_with_what_ended_since_and_began_before(database: Engine) -> None:
    owner, other = await an_owner(), await an_owner()
    image, moment = await an_image(owner), now() - timedelta(minutes=20)
    old = first_id_since(moment - timedelta(hours=2))
    ended: dict[Any, Any] = {Job.id: old, Job.status: JobStatus.FAILED, Job.finished_at: now()}
    job = await a_job(owner, image)
    await Job.update(ended).where(Job.id == job.id)
    await a_job(owner, image, status=JobStatus.FAILED, finished_at=moment - timedelta(minutes=1))
    batch = Batch(owner=owner.id, filename="a.csv", status="Completed", finished_at=now())
    await batch.save()
    assert [row.id for row in await account_changes.jobs_ended(owner.id, moment)] == [old]
    assert [row.id for row in await account_changes.batches_ended(owner.id, moment)] == [batch.id]
    assert not await account_changes.jobs_ended(other.id, moment)
