"""Batches that are retried, deferred by their hosts, cancelled or deleted."""

import asyncio
import itertools

from tests.batches.csv_files import (
    COLOURS,
    accepted,
    detail,
    done,
    products,
    served,
)
from tests.support.client import Client
from tests.support.photo_server import PhotoServer, picture
from tests.support.site_contents import kept_again, kept_by, refused
from tests.support.waiting import WAIT_S


async def test_what_failed_is_run_again(photo_server: PhotoServer, client: Client) -> None:
    good = photo_server.serve("/retried/good.jpg", picture("red"))
    missing = photo_server.url("/retried/later.jpg")
    never = photo_server.url("/status/404/never")
    batch = await accepted(client, products([[good, missing], [missing, never]]))
    ended = await done(client, batch["id"])
    assert (ended["completed"], ended["failed"]) == (1, 3)
    photo_server.serve("/retried/later.jpg", picture("blue"))
    key = {"Idempotency-Key": "again"}
    again = await client.post(f"/api/batches/{batch['id']}/retry", headers=key)
    assert (again.status, again.json["status"], again.json["failed"]) == (202, "In Process", 0)
    ended = await done(client, batch["id"])
    assert (ended["status"], ended["completed"], ended["failed"]) == ("Completed", 3, 1)
    assert ended["errors"] == {"url_http_error": 1}
    assert photo_server.request_counts["/retried/good.jpg"] == 1
    assert photo_server.request_counts["/retried/later.jpg"] == 2
    repeated = await client.post(f"/api/batches/{batch['id']}/retry", headers=key)
    assert (repeated.json["id"], repeated.headers["Idempotency-Replayed"]) == (batch["id"], "true")
    assert (await detail(client, batch["id"]))["finished_at"] == ended["finished_at"]


async def test_a_hosts_retry_after_is_respected(photo_server: PhotoServer, client: Client) -> None:
    urls = [photo_server.serve(f"/patience/{nth}.jpg", picture(COLOURS[nth])) for nth in range(10)]
    photo_server.retry_after = "3"
    photo_server.busy["/patience/0.jpg"] = 4  # more often than a job has attempts
    photo_server.request_times.clear()
    first = await accepted(client, products([urls[:1]]))
    job = await until_deferred(client, first["id"])
    others = await accepted(client, products([[url] for url in urls[1:]]))
    assert (await done(client, others["id"]))["completed"] == 9
    assert (await done(client, first["id"]))["completed"] == 1
    times = [at for path, at in photo_server.request_times if path == "/patience/0.jpg"]
    assert len(times) == 5
    assert all(after - before >= 3 for before, after in itertools.pairwise(times))
    later = [
        at
        for path, at in photo_server.request_times
        if path in {f"/patience/{nth}.jpg" for nth in range(1, 10)}
    ]
    assert min(later) - times[0] >= 3
    ended = (await client.get(f"/api/jobs/{job}")).json
    assert (ended["status"], ended["attempts"], ended["error_code"]) == ("completed", 1, None)


async def until_deferred(client: Client, batch_id: str) -> str:
    """Until the batch's only job waits again; its id."""
    job_id = (await detail(client, batch_id))["items"][0]["job_id"]
    async with asyncio.timeout(WAIT_S):
        while True:
            job = (await client.get(f"/api/jobs/{job_id}")).json
            if (job["status"], job["error_code"]) == ("queued", "url_http_error"):
                return job_id
            await asyncio.sleep(0.02)


async def test_a_deleted_batch_leaves_nothing(photo_server: PhotoServer, client: Client) -> None:
    before = await kept_by(client)
    urls = served(photo_server, 20, prefix="deleted")
    batch = await accepted(client, products([[url] for url in urls]))
    ended = await done(client, batch["id"])
    link = ended["items"][0]["output_url"]
    assert (await client.call("DELETE", f"/api/batches/{batch['id']}")).status == 204
    assert (await client.get(link, token="")).status == 404
    for path in ("", "/output.csv", "/archive.zip", "/events"):
        refused(await client.get(f"/api/batches/{batch['id']}{path}"), 404, "batch_not_found")
    refused(await client.post(f"/api/batches/{batch['id']}/retry"), 404, "batch_not_found")
    await kept_again(client, before)


async def test_what_has_not_started_is_not_fetched_once_the_batch_is_deleted(
    photo_server: PhotoServer, client: Client
) -> None:
    before = await kept_by(client)
    urls = [photo_server.serve(f"/stopped/{nth}.jpg", picture()) for nth in range(60)]
    with photo_server.holding(*urls):
        batch = await accepted(client, products([[url] for url in urls]))
        async with asyncio.timeout(WAIT_S):
            while asked_below(photo_server, "/stopped/") < 4:
                await asyncio.sleep(0.02)
        assert (await client.call("DELETE", f"/api/batches/{batch['id']}")).status == 204
    await kept_again(client, before)
    assert asked_below(photo_server, "/stopped/") == 4
    assert (await client.get("/api/jobs")).json == []


def asked_below(photo_server: PhotoServer, folder: str) -> int:
    return sum(count for path, count in photo_server.request_counts.items() if path.startswith(folder))


async def test_a_cancelled_job_counts_as_failed(photo_server: PhotoServer, client: Client) -> None:
    urls = [photo_server.serve(f"/cancelled/{nth}.jpg", picture()) for nth in range(10)]
    with photo_server.holding(*urls):
        batch = await accepted(client, products([[url] for url in urls]))
        job_id = (await detail(client, batch["id"]))["items"][-1]["job_id"]
        assert (await client.call("DELETE", f"/api/jobs/{job_id}")).json["status"] == "cancelled"
    ended = await done(client, batch["id"])
    assert (ended["completed"], ended["failed"], ended["errors"]) == (9, 1, {"job_cancelled": 1})
    again = await client.post(f"/api/batches/{batch['id']}/retry")
    assert again.status == 202
    ended = await done(client, batch["id"])
    assert (ended["completed"], ended["failed"]) == (10, 0)
