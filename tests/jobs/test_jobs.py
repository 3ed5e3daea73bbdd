"""Jobs over HTTP: shown, listed, followed, cancelled."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.client import Client
from tests.support.site_contents import kept_again, kept_by, refused
from tests.support.site_jobs import SLOW
from tests.support.waiting import WAIT_S

GRAY = [{"op": "grayscale"}]


async def test_a_job_shows_what_it_did(shared_client: Client, photo: Path) -> None:
    image = (await shared_client.upload(photo, [{"op": "resize", "width": 50}], wait_s=60)).json
    job = (await shared_client.get(f"/api/jobs/{image['job_id']}")).json
    assert (job["kind"], job["status"], job["priority"]) == ("transform", "completed", "interactive")
    assert (job["image_id"], job["result_id"]) == (image["id"], image["result"]["id"])
    assert (job["operations"][0]["op"], job["operations"][0]["width"]) == ("resize", 50)
    assert (job["attempts"], job["error_code"], job["error"]) == (1, None, None)
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]
    assert job["url"] == f"{shared_client.site.url}/api/jobs/{job['id']}"
    assert (await shared_client.get(job["download_url"])).headers["ETag"] == f'"{image["result"]["md5"]}"'


async def test_jobs_are_listed_newest_first_and_filtered(client: Client, photo: Path) -> None:
    hashed = (await client.upload(photo, wait_s=60)).json
    made = (await client.upload(photo, GRAY, wait_s=60)).json
    crop = [{"op": "crop", "width": 5000, "height": 1}]
    failed = (await client.upload(photo, crop)).json
    await client.job_done(failed["job_id"])
    all_of_them = [failed["job_id"], made["job_id"], hashed["job_id"]]

    async def found(query: str) -> list[str]:
        answer = await client.get(f"/api/jobs?{query}")
        assert answer.status == 200
        return [job["id"] for job in answer.json]

    assert await found("") == all_of_them
    assert await found("kind=describe") == [hashed["job_id"]]
    assert await found("status=failed") == [failed["job_id"]]
    assert await found(f"image={made['id']}&status=completed") == [made["job_id"]]
    assert await found(f"after={failed['job_id']}&limit=1") == [made["job_id"]]
    page = await client.get("/api/jobs?limit=2")
    assert page.headers["X-Total-Count"] == "3"
    following = page.headers["Link"].partition(">")[0].strip("<")
    assert [job["id"] for job in (await client.get(following)).json] == [hashed["job_id"]]


async def test_the_event_stream_has_every_change_and_ends_with_the_job(
    shared_client: Client, photo: Path
) -> None:
    image = (await shared_client.upload(photo, GRAY)).json
    events = await stream_of(shared_client, image["job_id"])
    names = [name for name, _ in events]
    assert names[-1] == "completed"
    assert [job["status"] for _, job in events] == names
    assert names == sorted(set(names), key=["queued", "running", "completed"].index)
    assert events[-1][1] == (await shared_client.get(f"/api/jobs/{image['job_id']}")).json
    assert await stream_of(shared_client, image["job_id"]) == events[-1:]


async def stream_of(client: Client, job_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Names and data of all events, until the server closes the stream."""
    headers = {"Authorization": f"Bearer {client.token}"}
    url = f"{client.site.url}/api/jobs/{job_id}/events"
    async with (
        asyncio.timeout(WAIT_S),
        aiohttp.ClientSession(headers=headers) as session,
        session.get(url) as stream,
    ):
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        text = (await stream.text()).replace("\r\n", "\n")
    events = [
        dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        for block in text.split("\n\n")
    ]
    return [(event["event"], json.loads(event["data"])) for event in events if "event" in event]


async def test_a_job_that_has_ended_cannot_be_cancelled(shared_client: Client, photo: Path) -> None:
    image = (await shared_client.upload(photo, GRAY, wait_s=60)).json
    answer = await shared_client.call("DELETE", f"/api/jobs/{image['job_id']}")
    assert "completed" in refused(answer, 409, "job_ended")
    assert (await shared_client.get(f"/api/images/{image['id']}/download")).status == 200


async def test_running_and_queued_jobs_can_be_cancelled(limited_client: Client, slow_picture: bytes) -> None:
    image = (await limited_client.upload(slow_picture, retention="ephemeral")).json
    before = await kept_by(limited_client)
    at = f"/api/images/{image['id']}/transform"
    jobs = [(await limited_client.post(at, json={"operations": SLOW})).json["id"] for _ in range(3)]
    async with asyncio.timeout(WAIT_S):
        while (await limited_client.get(f"/api/jobs/{jobs[0]}")).json["status"] == "queued":
            await asyncio.sleep(0.02)
    following = asyncio.create_task(stream_of(limited_client, jobs[0]))
    for job_id in reversed(jobs):
        answer = await limited_client.call("DELETE", f"/api/jobs/{job_id}")
        assert (answer.status, answer.json["status"], answer.json["result_id"]) == (200, "cancelled", None)
        refused(await limited_client.call("DELETE", f"/api/jobs/{job_id}"), 409, "job_ended")
    assert (await following)[-1][0] == "cancelled"
    assert (await limited_client.get(f"/api/images/{image['id']}")).json["status"] == "completed"
    assert (await limited_client.get(f"/api/images/{image['id']}/download?version=original")).status == 200
    await kept_again(limited_client, before)
    assert [job["status"] for job in (await limited_client.get("/api/jobs")).json] == ["cancelled"] * 3


async def test_a_request_that_waits_for_a_cancelled_job_gets_a_problem(
    limited_client: Client, slow_picture: bytes
) -> None:
    waiting = asyncio.create_task(limited_client.upload(slow_picture, SLOW, wait_s=60))
    async with asyncio.timeout(WAIT_S):
        while not (jobs := (await limited_client.get("/api/jobs")).json):
            await asyncio.sleep(0.02)
    await limited_client.call("DELETE", f"/api/jobs/{jobs[0]['id']}")
    refused(await waiting, 409, "job_cancelled")


async def test_a_deleted_image_takes_its_jobs_along(limited_client: Client, slow_picture: bytes) -> None:
    before = await kept_by(limited_client)
    image = (await limited_client.upload(slow_picture, SLOW)).json
    assert (await limited_client.call("DELETE", f"/api/images/{image['id']}")).status == 200
    assert (await limited_client.get(f"/api/jobs/{image['job_id']}")).json["status"] == "cancelled"
    await kept_again(limited_client, before)
