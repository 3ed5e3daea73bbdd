"""One job to follow: a URL with operations has one job, whatever runs inside."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.client import DONE, Client
from tests.support.photo_server import PhotoServer
from tests.support.site_contents import refused
from tests.support.site_jobs import ENDLESS, SLOW
from tests.support.waiting import WAIT_S, until

GRAY = [{"op": "grayscale"}, {"op": "convert", "format": "png"}]
TOO_LARGE = [{"op": "crop", "x": 0, "y": 0, "width": 9000, "height": 9000}]


async def fetched(client: Client, server: PhotoServer, photo: Path, operations: Any) -> str:
    """Ask for operations on a URL; return where the answer says to look."""
    server.serve("/one-job.jpg", photo.read_bytes())
    body = {"image_url": server.url("/one-job.jpg"), "operations": operations}
    answer = await client.post("/api/images", json=body)
    assert answer.status == 202, answer
    return answer.headers["Location"]


async def ended(client: Client, where: str) -> dict[str, Any]:
    async def done() -> dict[str, Any] | None:
        job = (await client.get(where)).json
        assert (job["status"] == "completed") == (job["download_url"] is not None), job
        return job if job["status"] in DONE else None

    job = await until(done)
    assert job is not None
    return job


async def test_who_follows_the_location_until_completed_finds_what_was_asked_for(
    shared_client: Client, photo_server: PhotoServer, photo: Path
) -> None:
    where = await fetched(shared_client, photo_server, photo, GRAY)
    job = await ended(shared_client, where)
    assert (job["url"], job["status"], job["kind"]) == (where, "completed", "ingest")
    file = await shared_client.get(job["download_url"])
    assert (file.status, file.headers["Content-Type"]) == (200, "image/png")
    source = (await shared_client.get(f"/api/images/{job['image_id']}")).json
    assert source["result"]["id"] == job["result_id"]
    listed = (await shared_client.get("/api/jobs?kind=ingest&limit=1")).json
    assert listed == [job]


async def test_the_stream_of_the_location_ends_with_the_result(
    shared_client: Client, photo_server: PhotoServer, photo: Path
) -> None:
    where = await fetched(shared_client, photo_server, photo, GRAY)
    headers = {"Authorization": f"Bearer {shared_client.token}"}
    async with (
        asyncio.timeout(WAIT_S),
        aiohttp.ClientSession() as session,
        session.get(f"{where}/events", headers=headers) as stream,
    ):
        text = (await stream.text()).replace("\r\n", "\n")
    names = [line.removeprefix("event: ") for line in text.split("\n") if line.startswith("event: ")]
    assert names[-1] == "completed"
    assert names.count("completed") == 1
    last = text.rstrip().rpartition("id: ")[2].split("\n")[0]
    async with aiohttp.ClientSession() as session:
        again = {**headers, "Last-Event-ID": last}
        async with session.get(f"{where}/events", headers=again) as answer:
            assert answer.status == 204


async def test_operations_that_fail_fail_the_job_of_the_location(
    shared_client: Client, photo_server: PhotoServer, photo: Path
) -> None:
    job = await ended(shared_client, await fetched(shared_client, photo_server, photo, TOO_LARGE))
    assert (job["status"], job["error_code"], job["result_id"]) == ("failed", "crop_outside", None)


async def test_a_cancelled_job_of_the_location_is_cancelled_in_whichever_step_it_is(
    shared_client: Client, photo_server: PhotoServer, photo: Path
) -> None:
    where = await fetched(shared_client, photo_server, photo, SLOW)

    async def transforming() -> bool:
        job = (await shared_client.get(where)).json
        return job["image_id"] is not None and job["status"] == "running"

    await until(transforming)
    cancelled = await shared_client.call("DELETE", where)
    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")
    refused(await shared_client.call("DELETE", where), 409, "job_ended")


async def test_an_image_that_is_returned_instead_of_a_duplicate_has_no_address_until_its_newest_job_ends(
    client: Client, photo_server: PhotoServer, small_picture: bytes
) -> None:
    image = (await client.upload(small_picture, filename="small.png", retention="keep")).json["id"]
    where = f"/api/images/{image}"
    working = (await client.post(f"{where}/transform", json={"operations": ENDLESS})).json["id"]

    async def again(address: str, key: str | None = None) -> dict[str, Any]:
        form = aiohttp.FormData()
        form.add_field("image", small_picture, filename="small.png")
        form.add_field("on_duplicate", "return")
        answer = await client.post(address, data=form, headers={"Idempotency-Key": key} if key else {})
        assert (answer.status, answer.json["id"]) == (200, image)
        assert answer.headers["Location"] == f"{client.site.url}{where}"
        return answer.json

    for shown in (await again("/api/images"), await again("/api/images/", "pending")):
        assert (shown["job_id"], shown["downloadable"]) == (working, False)
        assert shown["status"] in ("pending", "processing")
    assert (await again("/api/images/"))["download_url"] is None
    refused(await client.get(f"{where}/download"), 400, "image_not_ready")

    url = photo_server.serve(f"/{client.username}.png", small_picture)
    body = {"image_url": url, "on_duplicate": "return"}
    fetch = (await client.post("/api/images", json=body)).headers["Location"]
    job = await ended(client, fetch)
    assert (job["status"], job["result_id"]) == ("completed", image)
    file = await client.get(job["download_url"])
    assert (file.status, file.body) == (200, small_picture)

    assert (await client.call("DELETE", f"/api/jobs/{working}")).status == 200
    assert (await again("/api/images"))["downloadable"] is True
    there = (await again("/api/images/"))["download_url"]
    assert (await client.get(there)).body == small_picture
