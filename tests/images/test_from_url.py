"""Images that are named by URL."""

import base64
from io import BytesIO
from pathlib import Path

import imagehash
import pytest
from PIL import Image

from tests.support.client import Client
from tests.support.fetching_site import FetchingSite
from tests.support.photo_server import picture
from tests.support.url_images import create, created, md5_of, original, record


async def test_a_url_becomes_a_record_with_hashes(
    fetching_client: Client, fetching_site: FetchingSite, photo: Path
) -> None:
    data = photo.read_bytes()
    url = fetching_site.outer.serve("/rockets/rocket.png", data)
    image = await created(fetching_client, url)
    assert image["source_url"] == url
    assert image["md5"] == md5_of(data)
    assert image["phash"] == str(imagehash.phash(Image.open(photo)))
    assert (image["filename"], image["format"], image["status"]) == ("rocket.jpg", "jpeg", "completed")
    assert (image["retention"], image["expires_at"]) == ("keep", None)
    assert await record(fetching_client, image["id"]) == image
    assert await original(fetching_client, image["id"]) == data


async def test_without_waiting_the_answer_is_the_job(
    fetching_client: Client, fetching_site: FetchingSite
) -> None:
    url = fetching_site.outer.serve("/a.jpg", picture())
    answer = await create(fetching_client, url, wait_s=None)
    assert answer.status == 202
    job = await fetching_client.job_done(answer.json["id"])
    assert answer.headers["Location"] == job["url"]
    assert (job["kind"], job["status"], job["attempts"]) == ("ingest", "completed", 1)
    assert (await record(fetching_client, job["result_id"]))["source_url"] == url


async def test_create_waits_by_itself(fetching_client: Client, fetching_site: FetchingSite) -> None:
    url = fetching_site.outer.serve("/a.jpg", picture())
    for path in ("/api/images/create", "/api/images/create/"):
        answer = await fetching_client.post(path, json={"image_url": url})
        assert (answer.status, answer.json["md5"]) == (201, md5_of(picture()))
    form = await fetching_client.post("/api/images/create", data={"image": BytesIO(picture())})
    assert form.status == 201
    assert form.json["phash"]


async def test_operations_run_on_what_was_fetched(
    fetching_client: Client, fetching_site: FetchingSite
) -> None:
    url = fetching_site.outer.serve("/a.jpg", picture())
    image = await created(fetching_client, url, operations=[{"op": "resize", "width": 10}])
    assert (image["retention"], image["status"]) == ("ephemeral", "completed")
    assert (image["result"]["width"], image["result"]["parent"]) == (10, image["id"])
    answer = await fetching_client.get(f"/api/images/{image['id']}/download")
    assert Image.open(BytesIO(answer.body)).width == 10
    after = await record(fetching_client, image["id"])
    assert after["expires_at"] == after["result"]["expires_at"]
    assert after["expires_at"] is not None


async def test_a_wrong_content_type_is_no_fault_and_a_right_one_proves_nothing(
    fetching_client: Client, fetching_site: FetchingSite
) -> None:
    assert await created(fetching_client, fetching_site.outer.serve("/mislabelled.html", picture()))
    answer = await create(fetching_client, fetching_site.outer.serve("/page.jpg", b"<html>not found</html>"))
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
    fetching_client: Client, fetching_site: FetchingSite, photo: Path, path: str, code: str, status: int
) -> None:
    outer = fetching_site.outer
    outer.serve("/empty", b"")
    outer.serve("/pdf", b"%PDF-1.7 ...")
    outer.serve("/half", photo.read_bytes()[:20_000])
    outer.redirect("/to-inside", fetching_site.inner.url("/a.jpg"))
    outer.redirect("/to-metadata", f"http://169.254.169.254:{outer.port}/latest/meta-data/")
    outer.redirect("/in-circles", "/in-circles")
    answer = await create(fetching_client, outer.url(path), wait_s=60)
    assert (answer.status, answer.code) == (status, code), answer
    if path.startswith("/status"):
        assert path.rpartition("/")[2] in answer.json["detail"]
    (job,) = (await fetching_client.get("/api/jobs")).json
    assert (job["status"], job["error_code"], job["result_id"]) == ("failed", code, None)
    assert (await fetching_client.get("/api/images")).json == []


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/a.jpg", "http://localhost/", "ftp://example.com/a.jpg", "http://a:b@example.com/"],
)
async def test_a_forbidden_address_is_refused_at_once(fetching_client: Client, url: str) -> None:
    answer = await create(fetching_client, url, wait_s=None)
    assert (answer.status, answer.code) == (422, "url_forbidden")
    assert (await fetching_client.get("/api/jobs")).json == []


async def test_a_passing_fault_is_tried_again_and_the_job_tells_how_often(
    fetching_client: Client, fetching_site: FetchingSite
) -> None:
    url = fetching_site.outer.serve("/flaky.jpg", picture())
    fetching_site.outer.failing["/flaky.jpg"] = 2
    answer = await create(fetching_client, url, wait_s=None)
    job = await fetching_client.job_done(answer.json["id"])
    assert (job["status"], job["attempts"], job["error_code"]) == ("completed", 3, None)
    assert (await record(fetching_client, job["result_id"]))["md5"] == md5_of(picture())


async def test_a_data_url_is_an_image_too(fetching_client: Client, photo: Path) -> None:
    data = photo.read_bytes() * 12  # longer than an ordinary JSON body may be
    assert len(data) > 1_000_000
    url = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
    image = await created(fetching_client, url, filename="rocket.gif")
    assert (image["md5"], image["filename"], image["source_url"]) == (md5_of(data), "rocket.jpg", None)
    assert image["phash"] == str(imagehash.phash(Image.open(photo)))
    answer = await create(fetching_client, "data:text/plain,hello")
    assert (answer.status, answer.code) == (415, "not_an_image")


async def test_the_same_bytes_are_returned_when_asked_for(
    fetching_client: Client, fetching_site: FetchingSite
) -> None:
    data = picture("green")
    url = fetching_site.outer.serve("/green.jpg", data)
    first = await created(fetching_client, url)
    again = await create(fetching_client, url, on_duplicate="return")
    assert (again.status, again.json["id"]) == (200, first["id"])
    upload = await fetching_client.upload(data, on_duplicate="return")
    assert (upload.status, upload.json["id"]) == (200, first["id"])
    worked_on = await create(fetching_client, url, on_duplicate="return", operations=[{"op": "flip"}])
    assert (worked_on.status, worked_on.json["id"]) == (200, first["id"])
    assert worked_on.json["result"]["parent"] == first["id"]
    stored = await fetching_client.upload(data)
    assert stored.status == 201
    assert stored.json["id"] != first["id"]
    found = (await fetching_client.get(f"/api/images?md5={first['md5']}")).json
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
async def test_a_wrong_body_is_named(fetching_client: Client, body: object) -> None:
    answer = await fetching_client.post("/api/images", json=body)
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert answer.json["errors"]


async def test_a_repeated_request_fetches_once(fetching_client: Client, fetching_site: FetchingSite) -> None:
    url = fetching_site.outer.serve("/once.jpg", picture())
    headers = {"Idempotency-Key": "fetch-1"}
    answers = [
        await fetching_client.post("/api/images", json={"image_url": url}, headers=headers) for _ in range(2)
    ]
    assert [answer.status for answer in answers] == [202, 202]
    assert answers[0].json == answers[1].json
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    await fetching_client.job_done(answers[0].json["id"])
    assert fetching_site.outer.asked["/once.jpg"] == 1
