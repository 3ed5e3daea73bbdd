"""Direct uploads: announced, stored at a signed address, and only then made an image."""

import asyncio
import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.images.test_upload_tokens import new_token, used
from tests.support.client import PASSWORD, Client
from tests.support.direct_uploads import claimed, md5_of, opened, stored
from tests.support.services import own_bucket
from tests.support.shared_sites import ON_ONE_SITE, NewSite, signed_in
from tests.support.site_contents import nothing_kept, object_keys, refused, scratch_is_empty
from tests.support.waiting import until_equal


async def waiting_files(client: Client, *uploads: dict[str, Any]) -> set[str]:
    """Which of the uploads have a file in the object store."""
    keys = await object_keys(client.site, ".direct-uploads/")
    return {upload["id"] for upload in uploads if f".direct-uploads/{upload['id']}" in keys}


async def reserved(client: Client) -> int:
    return (await client.get("/accounts/me/usage")).json["reserved_bytes"]


async def test_a_file_becomes_an_image_with_all_that_is_asked_of_it(client: Client, photo: Path) -> None:
    data = photo.read_bytes()
    upload = await opened(
        client, data, filename="rocket.jpg", content_type="image/jpeg", md5=md5_of(data).upper()
    )
    assert upload["method"] == "PUT"
    assert await reserved(client) == len(data)
    put = await stored(client, upload, data)
    assert (put.status, put.headers["ETag"]) == (204, f'"{md5_of(data)}"')
    assert await waiting_files(client, upload) == {upload["id"]}
    made = await claimed(
        client,
        upload,
        operations=[{"op": "grayscale"}, {"op": "convert", "format": "png"}],
        retention="keep",
        tags=["cat"],
        headers={"Prefer": "wait=30"},
    )
    assert made.status == 201, made
    image = made.json
    assert (image["filename"], image["md5"], image["tags"]) == ("rocket.jpg", md5_of(data), ["cat"])
    assert image["result"]["format"] == "png"
    assert (await client.get(f"/api/images/{image['id']}/download?version=original")).body == data
    assert await waiting_files(client, upload) == set()
    assert await reserved(client) == 0
    refused(await claimed(client, upload), 409, "upload_claimed")
    refused(await stored(client, upload, data), 409, "upload_claimed")
    await scratch_is_empty(client.site)


async def test_one_of_many_makes_the_image(client: Client, small_picture: bytes) -> None:
    upload = await opened(client, small_picture)
    await stored(client, upload, small_picture)
    answers = await asyncio.gather(*(claimed(client, upload, retention="ephemeral") for _ in range(12)))
    counted = Counter(answer.status for answer in answers)
    assert counted[201] == 1, answers
    # The winner removes the file, which others may be about to read.
    assert {answer.code for answer in answers if answer.status != 201} <= {
        "upload_claimed",
        "upload_incomplete",
    }
    assert (await client.get("/api/images?limit=1")).headers["X-Total-Count"] == "1"

    async def objects() -> int:
        return len(await object_keys(client.site, f"{client.username}/"))

    await until_equal(1, objects)


@ON_ONE_SITE
async def test_repetitions_find_what_the_first_request_made(client: Client, small_picture: bytes) -> None:
    announced = {"filename": "a.png", "size_bytes": len(small_picture), "content_type": "image/png"}
    key = {"Idempotency-Key": "one-upload"}
    first, again = [await client.post("/api/uploads", json=announced, headers=key) for _ in range(2)]
    assert (first.status, first.json["id"]) == (201, again.json["id"])
    await stored(client, first.json, small_picture)
    key = {"Idempotency-Key": "one-image"}
    made, repeated = [await claimed(client, first.json, headers=key) for _ in range(2)]
    assert (made.status, repeated.status, repeated.json["id"]) == (201, 201, made.json["id"])


@ON_ONE_SITE
async def test_nothing_is_made_of_a_file_that_has_not_arrived_and_it_may_arrive_later(
    client: Client, small_picture: bytes
) -> None:
    upload = await opened(client, small_picture)
    async with nothing_kept(client):
        refused(await claimed(client, upload), 409, "upload_incomplete")
    assert (await stored(client, upload, small_picture)).status == 204
    assert (await claimed(client, upload, filename="other.png")).json["filename"] == "other.png"


@ON_ONE_SITE
async def test_the_address_takes_the_announced_file_alone(client: Client, small_picture: bytes) -> None:
    other = small_picture[:-1] + b"?"
    upload = await opened(client, small_picture, md5=md5_of(small_picture))

    async def chunked() -> Any:
        yield small_picture
        yield b"more"

    async with nothing_kept(client):
        for data in (small_picture[:-1], small_picture + b"?", other, b""):
            refused(await stored(client, upload, data), 422, "upload_mismatch")
        refused(await stored(client, upload, chunked()), 422, "upload_mismatch")  # type: ignore[arg-type]
        wrong_type = {"Content-Type": "text/html"}
        refused(await stored(client, upload, small_picture, **wrong_type), 422, "upload_mismatch")
        assert await waiting_files(client, upload) == set()
    forged = {**upload, "url": upload["url"][:-2] + "xx"}
    refused(await stored(client, forged, small_picture), 401, "token_invalid")
    assert (await stored(client, upload, small_picture)).status == 204


@ON_ONE_SITE
@pytest.mark.parametrize(
    ("data", "status", "code"),
    [(b"no image at all", 415, "not_an_image"), (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "")],
    ids=["text", "svg"],
)
async def test_a_file_that_is_no_image_goes(client: Client, data: bytes, status: int, code: str) -> None:
    upload = await opened(client, data)
    await stored(client, upload, data)
    async with nothing_kept(client):
        answer = await claimed(client, upload)
        refused(answer, status, code or answer.code)
        refused(await claimed(client, upload), 404, "upload_not_found")
        assert await waiting_files(client, upload) == set()
    assert await reserved(client) == 0


@ON_ONE_SITE
async def test_a_wrong_request_leaves_the_file_for_a_right_one(client: Client, small_picture: bytes) -> None:
    upload = await opened(client, small_picture)
    await stored(client, upload, small_picture)
    async with nothing_kept(client):
        refused(await claimed(client, upload, operations=[{"op": "sepia"}] * 99), 400, "too_many_operations")
        refused(await claimed(client, upload, image_url="https://x.example/"), 400, "invalid_request")
        refused(await claimed(client, upload, webhook_url="http://127.0.0.1/"), 422, "url_forbidden")
    assert (await claimed(client, upload)).status == 201


@ON_ONE_SITE
async def test_an_upload_is_its_accounts_alone(
    client: Client, other_client: Client, small_picture: bytes
) -> None:
    upload = await opened(client, small_picture)
    await stored(client, upload, small_picture)
    refused(await claimed(other_client, upload), 404, "upload_not_found")
    refused(await claimed(client, {"id": "019ab3d8-5d6e-7f7a-8b8c-9d0e1f2a3b4c"}), 404, "upload_not_found")


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_the_files_of_an_account_go_when_it_is_deleted_and_then_its_rows(
    new_site: NewSite, small_picture: bytes
) -> None:
    site = await new_site()
    async with signed_in(site) as client, signed_in(site) as other_client:
        waiting, announced, done = [await opened(client, small_picture) for _ in range(3)]
        others = await opened(other_client, small_picture)
        await stored(client, waiting, small_picture)
        await stored(client, done, small_picture)
        await stored(other_client, others, small_picture)
        assert (await claimed(client, done)).status == 201
        deleted = await client.call("DELETE", "/accounts/me", json={"password": PASSWORD})
        assert deleted.status == 204, deleted

        async def files() -> int:
            return len(await object_keys(site))

        async def rows() -> int:
            with closing(sqlite3.connect(Path(site.settings["DATA_DIR"]) / "darkroom.sqlite")) as database:
                return database.execute("select count(*) from direct_upload").fetchone()[0]

        await until_equal(1, files)
        await until_equal(1, rows)
        assert await waiting_files(client, waiting, announced, others) == {others["id"]}
        refused(await stored(client, waiting, small_picture), 404, "upload_not_found")


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_nothing_is_stored_for_an_account_that_an_operator_has_disabled(
    new_site: NewSite, small_picture: bytes
) -> None:
    site = await new_site()
    async with signed_in(site) as client:
        upload = await opened(client, small_picture)
        with closing(sqlite3.connect(Path(site.settings["DATA_DIR"]) / "darkroom.sqlite")) as database:
            database.execute("update piccolo_user set active = 0 where username = ?", [client.username])
            database.commit()
        refused(await stored(client, upload, small_picture), 404, "upload_not_found")
    assert await object_keys(site) == frozenset()


@ON_ONE_SITE
@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"size_bytes": 0}, 400, "invalid_request"),
        ({"size_bytes": 10**12}, 413, "upload_too_large"),
        ({"filename": ""}, 400, "invalid_request"),
        ({"content_type": "text/html"}, 400, "invalid_request"),
        ({"content_type": "image/png\n"}, 400, "invalid_request"),
        ({"content_type": "image/png; x=1"}, 400, "invalid_request"),
        ({"md5": "abc"}, 400, "invalid_request"),
        ({"md5": "0" * 32 + "\n"}, 400, "invalid_request"),
        ({"sise_bytes": 1}, 400, "invalid_request"),
    ],
    ids=json.dumps,
)
async def test_a_file_that_could_not_be_taken_is_refused_before_it_is_sent(
    shared_client: Client, fields: dict[str, Any], status: int, code: str
) -> None:
    announced = {"filename": "a.png", "size_bytes": 10, "content_type": "image/png", **fields}
    refused(await shared_client.post("/api/uploads", json=announced), status, code)


@pytest.mark.parametrize("limited_site", ["embedded"], indirect=True)
async def test_open_uploads_count_in_the_quota(limited_client: Client, small_picture: bytes) -> None:
    client = limited_client  # 3 MB in all, 2 MB each
    upload = await opened(client, small_picture, size_bytes=2_000_000)
    more = {"filename": "a.png", "size_bytes": 1_500_000, "content_type": "image/png"}
    refused(await client.post("/api/uploads", json=more), 413, "quota_exceeded")
    own = await opened(client, small_picture)
    await stored(client, own, small_picture)
    assert (await claimed(client, own)).status == 201  # its own bytes do not count twice
    usage = (await client.get("/accounts/me/usage")).json
    assert (usage["reserved_bytes"], usage["stored_bytes"]) == (2_000_000, len(small_picture))
    assert upload["id"] != own["id"]


@ON_ONE_SITE
async def test_a_token_uploads_directly_what_it_may(
    client: Client, photo: Path, small_picture: bytes
) -> None:
    token = await new_token(client, count=1, formats=["jpeg"], max_bytes=photo.stat().st_size, tags=["x"])
    text, data = token["token"], photo.read_bytes()
    announced = {"filename": "a.jpg", "size_bytes": len(data) + 1, "content_type": "image/jpeg"}
    refused(await client.post("/api/uploads", json=announced, token=text), 413, "upload_too_large")

    png = await opened(client, small_picture, token=text)
    assert await used(client, token) == 1  # an open upload counts, so that there cannot be more of them
    announced["size_bytes"] = len(data)
    refused(await client.post("/api/uploads", json=announced, token=text), 403, "upload_token_used_up")
    await stored(client, png, small_picture)
    refused(await claimed(client, png, token=text), 415, "format_not_accepted")
    assert await used(client, token) == 0

    upload = await opened(client, data, token=text)
    await stored(client, upload, data, **{"Content-Type": "image/png"})
    answer = await claimed(client, upload, token=text, operations=[], retention="keep")
    refused(answer, 400, "invalid_request")
    assert {error["key"] for error in answer.json["errors"]} == {"operations", "retention"}
    made = await claimed(client, upload, token=text)
    assert (made.status, made.json["tags"]) == (201, ["x"]), made
    assert await used(client, token) == 1
    others = await opened(client, small_picture)
    await stored(client, others, small_picture)
    refused(await claimed(client, others, token=text), 404, "upload_not_found")


@pytest.mark.services
@pytest.mark.parametrize("new_site", ["services"], indirect=True)
async def test_a_store_that_clients_reach_takes_the_file_itself(new_site: NewSite, photo: Path) -> None:
    bucket, data = own_bucket(), photo.read_bytes()
    store = f"http://{urlsplit(bucket).netloc.rpartition('@')[2]}"
    site = await new_site(OBJECTS_URL=f"{bucket}&public_url={quote(store, safe='')}")
    async with signed_in(site) as client:
        upload = await opened(client, data, content_type="image/jpeg", md5=md5_of(data))
        assert upload["url"].startswith(f"{store}/")
        for wrong in (data[:-1], data + b"?", data[:-1] + b"?"):
            assert (await stored(client, upload, wrong)).status in (400, 403)
        refused(await claimed(client, upload), 409, "upload_incomplete")
        assert (await stored(client, upload, data, **{"Content-Type": "text/html"})).status == 403
        assert (await stored(client, upload, data)).status == 200
        made = await claimed(client, upload)
        assert (made.status, made.json["md5"]) == (201, md5_of(data)), made


@pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
async def test_a_server_that_is_killed_loses_no_file_and_leaves_none(
    new_site: NewSite, large_photo: Path
) -> None:
    site, data = await new_site(), large_photo.read_bytes()
    async with signed_in(site) as client:
        upload = await opened(client, data, content_type="image/jpeg")
        assert (await stored(client, upload, data)).status == 204
        key = {"Idempotency-Key": "the-image"}
        cut_off = asyncio.create_task(claimed(client, upload, headers=key, retention="ephemeral"))
        await asyncio.sleep(0)
        await site.kill("serve")
        await asyncio.gather(cut_off, return_exceptions=True)
        await site.start("serve")
        await site.ready()

        async def status() -> int:  # the first request holds its key for a few seconds
            return (await claimed(client, upload, headers=key, retention="ephemeral")).status

        await until_equal(201, status)
        made = await claimed(client, upload, headers=key, retention="ephemeral")
        assert made.json["md5"] == md5_of(data)
        assert (await client.get("/api/images?limit=1")).headers["X-Total-Count"] == "1"
        assert await reserved(client) == 0
        refused(await claimed(client, upload), 409, "upload_claimed")
