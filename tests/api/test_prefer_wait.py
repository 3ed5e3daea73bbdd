"""`Prefer: wait`: the result at once where time allows, else the way to it."""

from pathlib import Path

import pytest

from tests.support.client import Client
from tests.support.site_jobs import SLOW

GRAY = [{"op": "grayscale"}]


async def test_an_upload_that_waits_is_answered_with_its_result(shared_client: Client, photo: Path) -> None:
    answer = await shared_client.upload(photo, GRAY, wait_s=30)
    assert answer.status == 201
    assert answer.headers["Preference-Applied"] == "wait=30"
    assert answer.headers["Location"] == answer.json["url"]
    assert answer.json["status"] == "completed"
    result = answer.json["result"]
    assert (result["parent"], result["width"], result["status"]) == (answer.json["id"], 640, "completed")
    assert (await shared_client.get(result["download_url"])).status == 200


async def test_a_transform_that_waits_is_answered_with_the_ended_job(
    shared_client: Client, photo: Path
) -> None:
    image = (await shared_client.upload(photo, retention="ephemeral")).json
    at = f"/api/images/{image['id']}/transform"
    answer = await shared_client.post(at, json={"operations": GRAY}, headers={"Prefer": "wait=30"})
    assert (answer.status, answer.json["status"]) == (200, "completed")
    result = (await shared_client.get(f"/api/images/{answer.json['result_id']}")).json
    assert (result["parent"], result["retention"]) == (image["id"], "ephemeral")


async def test_a_transform_that_does_not_wait_is_answered_with_the_way_to_it(
    shared_client: Client, photo: Path
) -> None:
    image = (await shared_client.upload(photo, retention="ephemeral")).json
    body = {"operations": GRAY, "retention": "keep"}
    answer = await shared_client.post(f"/api/images/{image['id']}/transform", json=body)
    assert (answer.status, answer.json["status"]) == (202, "queued")
    assert answer.headers["Location"] == answer.json["url"]
    assert "Preference-Applied" not in answer.headers
    job = await shared_client.job_done(answer.json["id"])
    kept = (await shared_client.get(f"/api/images/{job['result_id']}")).json
    assert (kept["retention"], kept["expires_at"]) == ("keep", None)


async def test_a_wait_that_is_too_short_ends_with_the_way_to_the_job(
    limited_client: Client, slow_picture: bytes
) -> None:
    answer = await limited_client.upload(slow_picture, SLOW, wait_s=1)
    assert answer.status == 202
    assert answer.headers["Location"].endswith(f"/api/jobs/{answer.json['job_id']}")
    assert answer.headers["Preference-Applied"] == "wait=1"
    await limited_client.call("DELETE", f"/api/jobs/{answer.json['job_id']}")


@pytest.mark.parametrize(
    "prefer", ["wait=30", "respond-async, wait=30", 'WAIT="30"', "wait = 30; foo", "wait=999"]
)
async def test_the_preference_is_read_in_every_spelling(
    shared_client: Client, small_picture: bytes, prefer: str
) -> None:
    answer = await shared_client.upload(small_picture, GRAY, filename="a.png", headers={"Prefer": prefer})
    assert answer.status == 201
    assert answer.headers["Preference-Applied"] == ("wait=60" if "999" in prefer else "wait=30")


@pytest.mark.parametrize("prefer", ["wait=0", "respond-async", "wait=soon", "await=30"])
async def test_no_wait_is_no_wait(shared_client: Client, small_picture: bytes, prefer: str) -> None:
    answer = await shared_client.upload(small_picture, GRAY, filename="a.png", headers={"Prefer": prefer})
    assert answer.status == 202
