"""`Idempotency-Key`: a request sent twice is done once."""

import asyncio
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from tests.support.client import Client
from tests.support.shared_sites import ON_ONE_SITE, signed_in
from tests.support.site import running_site
from tests.support.site_contents import kept_by, refused
from tests.support.site_jobs import SLOW
from tests.support.waiting import until_equal

GRAY = [{"op": "grayscale"}]


def new_key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


async def test_a_repeated_upload_is_answered_with_what_the_first_made(client: Client, photo: Path) -> None:
    key = new_key()
    first, again = [await client.upload(photo, GRAY, headers=key) for _ in range(2)]
    assert (first.status, again.status in (201, 202)) == (202, True)
    assert (again.json["id"], again.json["job_id"]) == (first.json["id"], first.json["job_id"])
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len((await client.get("/api/jobs")).json) == 1


async def test_a_repeated_transform_is_one_job(client: Client, photo: Path) -> None:
    image = (await client.upload(photo, retention="ephemeral")).json
    at, key = f"/api/images/{image['id']}/transform", new_key()
    first, again = [await client.post(at, json={"operations": GRAY}, headers=key) for _ in range(2)]
    assert again.json["id"] == first.json["id"]
    refused(await client.post(at, json={"operations": []}, headers=key), 422, "idempotency_key_reused")
    assert len((await client.get("/api/jobs")).json) == 1


async def test_a_key_does_not_serve_for_another_request(
    client: Client, photo: Path, small_picture: bytes
) -> None:
    key = new_key()
    assert (await client.upload(photo, GRAY, headers=key)).status == 202
    for again in (
        await client.upload(photo, [{"op": "sepia"}], headers=key),
        await client.upload(photo, headers=key),
        await client.upload(photo, GRAY, filename="other.jpg", headers=key),
        await client.upload(small_picture, GRAY, filename="rocket.jpg", headers=key),
    ):
        refused(again, 422, "idempotency_key_reused")
    assert len((await client.get("/api/jobs")).json) == 1


async def test_of_requests_at_the_same_moment_one_is_done(client: Client, photo: Path) -> None:
    key = new_key()
    answers = await asyncio.gather(*(client.upload(photo, GRAY, headers=key) for _ in range(5)))
    done = [answer for answer in answers if answer.status in (201, 202)]
    assert len({answer.json["id"] for answer in done}) == 1
    assert len([answer for answer in done if "Idempotency-Replayed" not in answer.headers]) == 1
    for answer in answers:
        if answer not in done:
            refused(answer, 409, "idempotency_key_in_use")
    assert len((await client.get("/api/jobs")).json) == 1


async def test_a_request_that_made_nothing_frees_its_key(client: Client, small_picture: bytes) -> None:
    key = new_key()
    refused(await client.upload(b"no image", headers=key), 415, "not_an_image")
    answer = await client.upload(small_picture, filename="a.png", headers=key, retention="ephemeral")
    assert (answer.status, answer.headers.get("Idempotency-Replayed")) == (201, None)


async def test_a_request_whose_job_failed_fails_in_the_same_way_when_repeated(
    client: Client, cut_photo: bytes
) -> None:
    key = new_key()
    for wait_s in (60, 60, None):
        answer = await client.upload(cut_photo, GRAY, headers=key, wait_s=wait_s)
        refused(answer, 422, "image_truncated")
    assert len((await client.get("/api/jobs")).json) == 1


@ON_ONE_SITE
async def test_a_repetition_waits_for_the_job_of_the_first_request(client: Client, large_photo: Path) -> None:
    key = new_key()
    first = await client.upload(large_photo, SLOW, headers=key)
    again = await client.upload(large_photo, SLOW, headers=key, wait_s=60)
    assert (first.status, again.status) == (202, 201)
    assert again.json["job_id"] == first.json["job_id"]
    assert again.json["result"]["id"]


@pytest.mark.services
async def test_after_the_api_is_killed_while_it_waits_a_repetition_finds_its_job(
    tmp_path: Path, large_photo: Path
) -> None:
    async with running_site("services", tmp_path / "site") as site, signed_in(site) as client:
        key = new_key()
        waiting = asyncio.ensure_future(client.upload(large_photo, SLOW, headers=key, wait_s=60))
        await until_jobs(client, 1)
        await site.kill("api")
        assert isinstance((await asyncio.gather(waiting, return_exceptions=True))[0], aiohttp.ClientError)
        await site.start("api")
        await site.ready()
        again = await client.upload(large_photo, SLOW, headers=key, wait_s=60)
        assert (again.status, again.headers["Idempotency-Replayed"]) == (201, "true")
        assert [job["id"] for job in (await client.get("/api/jobs")).json] == [again.json["job_id"]]


async def until_jobs(client: Client, count: int) -> None:
    async def jobs() -> int:
        return len((await client.get("/api/jobs")).json)

    await until_equal(count, jobs)


async def test_a_key_belongs_to_its_account(
    client: Client, other_client: Client, small_picture: bytes
) -> None:
    key = new_key()
    mine = await client.upload(small_picture, filename="a.png", headers=key)
    theirs = await other_client.upload(small_picture, filename="a.png", headers=key)
    assert mine.json["id"] != theirs.json["id"]
    assert (await kept_by(other_client)).images == "1"


async def test_a_key_beyond_reason_is_refused(shared_client: Client, small_picture: bytes) -> None:
    for key in ("x" * 256, "", "caf\xe9\x85"):
        answer = await shared_client.upload(small_picture, filename="a.png", headers={"Idempotency-Key": key})
        refused(answer, 400, "invalid_request")
