"""Images that are named by URL."""

import base64
from io import BytesIO
from pathlib import Path

import imagehash
import pytest
from PIL import Image

from tests.support.client import Client
from tests.support.photo_server import INSIDE, PhotoServer, picture
from tests.support.url_images import create, created, md5_of, original, record


async def test_a_url_becomes_a_record_with_hashes(
    client: Client, photo_server: PhotoServer, photo: Path
) -> None:
    data = photo.read_bytes()
    url = photo_server.serve("/rockets/rocket.png", data)
    image = await created(client, url)
    assert image["source_url"] == url
    assert image["md5"] == md5_of(data)
    assert image["phash"] == str(imagehash.phash(Image.open(photo)))
    assert (image["filename"], image["format"], image["status"]) == ("rocket.jpg", "jpeg", "completed")
    assert (image["retention"], image["expires_at"]) == ("keep", None)
    assert await record(client, image["id"]) == image
    assert await original(client, image["id"]) == data


async def test_without_waiting_the_answer_is_the_job(client: Client, photo_server: PhotoServer) -> None:
    url = photo_server.serve("/a.jpg", picture())
    answer = await create(client, url, wait_s=None)
    assert answer.status == 202
    job = await client.job_done(answer.json["id"])
    assert answer.headers["Location"] == job["url"]
    assert (job["kind"], job["status"], job["attempts"]) == ("ingest", "completed", 1)
    assert (await record(client, job["result_id"]))["source_url"] == url


async def test_create_waits_by_itself(client: Client, photo_server: PhotoServer) -> None:
    url = photo_server.serve("/a.jpg", picture())
    for path in ("/api/images/create", "/api/images/create/"):
        answer = await client.post(path, json={"image_url": url})
        assert (answer.status, answer.json["md5"]) == (201, md5_of(picture()))
    form = await client.post("/api/images/create", data={"image": BytesIO(picture())})
    assert form.status == 201
    assert form.json["phash"]


async def test_operations_run_on_what_was_fetched(client: Client, photo_server: PhotoServer) -> None:
    url = photo_server.serve("/a.jpg", picture())
    image = await created(client, url, operations=[{"op": "resize", "width": 10}])
    assert (image["retention"], image["status"]) == ("ephemeral", "completed")
    assert (image["result"]["width"], image["result"]["parent"]) == (10, image["id"])
    answer = await client.get(f"/api/images/{image['id']}/download")
    assert Image.open(BytesIO(answer.body)).width == 10
    after = await record(client, image["id"])
    assert after["expires_at"] == after["result"]["expires_at"]
    assert after["expires_at"] is not None


async def test_a_wrong_content_type_is_no_fault_and_a_right_one_proves_nothing(
    client: Client, photo_server: PhotoServer
) -> None:
    assert await created(client, photo_server.serve("/mislabelled.html", picture()))
    answer = await create(client, photo_server.serve("/page.jpg", b"<html>not found</html>"))
    assert (answer.status, answer.code) == (415, "url_not_an_image")


@pytest.mark.parametrize(
    ("path", "code", "status"),
    [
        ("/status/404", "url_http_error", 422),
        ("/status/500", "url_http_error", 422),
        ("/endless", "url_too_large", 413),
        ("/bomb", "url_too_large", 413),
        ("/cut", "url_unreachable", 422),
        ("/drip", "url_timeout", 422),
        ("/empty", "url_not_an_image", 415),
        ("/pdf", "format_not_accepted", 415),
        ("/half", "image_truncated", 422),
        ("/to-inside", "url_forbidden", 422),
        ("/to-metadata", "url_forbidden", 422),
        ("/in-circles", "url_http_error", 422),
    ],
)
async def test_a_fetch_that_fails_says_why_and_leaves_nothing(
    client: Client, photo_server: PhotoServer, photo: Path, path: str, code: str, status: int
) -> None:
    photo_server.serve("/empty", b"")
    photo_server.serve("/pdf", b"%PDF-1.7 ...")
    photo_server.serve("/half", photo.read_bytes()[:20_000])
    photo_server.redirect("/to-inside", f"http://{INSIDE}:{photo_server.port}/a.jpg")
    photo_server.redirect("/to-metadata", f"http://169.254.169.254:{photo_server.port}/latest/meta-data/")
    photo_server.redirect("/in-circles", "/in-circles")
    answer = await create(client, photo_server.url(path), wait_s=60)
    assert (answer.status, answer.code) == (status, code), answer
    if path.startswith("/status"):
        assert path.rpartition("/")[2] in answer.json["detail"]
    (job,) = (await client.get("/api/jobs")).json
    assert (job["status"], job["error_code"], job["result_id"]) == ("failed", code, None)
    assert (await client.get("/api/images")).json == []


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/a.jpg", "http://localhost/", "ftp://example.com/a.jpg", "http://a:b@example.com/"],
)
async def test_a_forbidden_address_is_refused_at_once(client: Client, url: str) -> None:
    answer = await create(client, url, wait_s=None)
    assert (answer.status, answer.code) == (422, "url_forbidden")
    assert (await client.get("/api/jobs")).json == []


async def test_a_transient_error_is_retried_and_the_job_counts_its_attempts(
    client: Client, photo_server: PhotoServer
) -> None:
    url = photo_server.serve("/flaky.jpg", picture())
    photo_server.failing["/flaky.jpg"] = 2
    answer = await create(client, url, wait_s=None)
    job = await client.job_done(answer.json["id"])
    assert (job["status"], job["attempts"], job["error_code"]) == ("completed", 3, None)
    assert (await record(client, job["result_id"]))["md5"] == md5_of(picture())


async def test_a_data_url_is_an_image_too(client: Client, photo: Path) -> None:
    data = photo.read_bytes() * 12  # longer than an ordinary JSON body may be
    assert len(data) > 1_000_000
    url = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
    image = await created(client, url, filename="rocket.gif")
    assert (image["md5"], image["filename"], image["source_url"]) == (md5_of(data), "rocket.jpg", None)
    assert image["phash"] == str(imagehash.phash(Image.open(photo)))
    answer = await create(client, "data:text/plain,hello")
    assert (answer.status, answer.code) == (415, "not_an_image")


async def test_the_image_of_the_same_bytes_is_returned_on_request(
    client: Client, photo_server: PhotoServer
) -> None:
    data = picture("green")
    url = photo_server.serve("/green.jpg", data)
    first = await created(client, url)
    again = await create(client, url, on_duplicate="return")
    assert (again.status, again.json["id"]) == (200, first["id"])
    upload = await client.upload(data, on_duplicate="return")
    assert (upload.status, upload.json["id"]) == (200, first["id"])
    worked_on = await create(client, url, on_duplicate="return", operations=[{"op": "flip"}])
    assert (worked_on.status, worked_on.json["id"]) == (200, first["id"])
    assert worked_on.json["result"]["parent"] == first["id"]
    stored = await client.upload(data)
    assert stored.status == 201
    assert stored.json["id"] != first["id"]
    found = (await client.get(f"/api/images?md5={first['md5']}")).json
    assert [image["id"] for image in found] == [stored.json["id"], first["id"]]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"image_url": ""},
        {"image_url": 1},
        {"image_url": "http://example.com/", "operations": [{"op": "explode"}]},
        {"image_url": "http://example.com/", "colour": "red"},
        {"image_url": "http://example.com/", "on_duplicate": "burn"},
        [],
    ],
)
async def test_a_wrong_body_is_named(client: Client, body: object) -> None:
    answer = await client.post("/api/images", json=body)
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert answer.json["errors"]


async def test_a_repeated_request_fetches_once(client: Client, photo_server: PhotoServer) -> None:
    url = photo_server.serve("/once.jpg", picture())
    headers = {"Idempotency-Key": "fetch-1"}
    answers = [await client.post("/api/images", json={"image_url": url}, headers=headers) for _ in range(2)]
    assert answers[0].status == 202
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    await client.job_done(answers[0].json["id"])
    assert [job["id"] for job in (await client.get("/api/jobs")).json if job["kind"] == "ingest"] == [
        answers[0].json["id"]
    ]
    assert photo_server.request_counts["/once.jpg"] == 1
