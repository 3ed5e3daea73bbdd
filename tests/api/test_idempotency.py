"""`Idempotency-Key`: a request sent twice is done once."""

import asyncio
from pathlib import Path
from uuid import uuid4

from tests.support.client import Client
from tests.support.site_contents import kept_by, refused

GRAY = [{"op": "grayscale"}]


def new_key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


async def test_a_repeated_upload_gets_the_first_answer(client: Client, photo: Path) -> None:
    key = new_key()
    first, again = [await client.upload(photo, GRAY, headers=key) for _ in range(2)]
    assert (first.status, again.status) == (202, 202)
    assert again.json == first.json
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len((await client.get("/api/jobs")).json) == 1


async def test_a_repeated_transform_is_one_job(client: Client, photo: Path) -> None:
    image = (await client.upload(photo, retention="ephemeral")).json
    at, key = f"/api/images/{image['id']}/transform", new_key()
    first, again = [await client.post(at, json={"operations": GRAY}, headers=key) for _ in range(2)]
    assert again.json == first.json
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
    done = [answer for answer in answers if answer.status == 202]
    assert len({answer.json["id"] for answer in done}) == 1
    assert len([answer for answer in done if "Idempotency-Replayed" not in answer.headers]) == 1
    for answer in answers:
        if answer not in done:
            refused(answer, 409, "idempotency_key_in_use")
    assert len((await client.get("/api/jobs")).json) == 1


async def test_a_failed_request_frees_its_key(client: Client, small_picture: bytes, cut_photo: bytes) -> None:
    key = new_key()
    refused(await client.upload(b"no image", headers=key), 415, "not_an_image")
    refused(await client.upload(cut_photo, GRAY, headers=key, wait_s=60), 422, "image_truncated")
    answer = await client.upload(small_picture, filename="a.png", headers=key, retention="ephemeral")
    assert (answer.status, answer.headers.get("Idempotency-Replayed")) == (201, None)


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
