"""New bytes for an image that is there: all of it changes at once, or nothing does."""

import asyncio
import base64
import json
from io import BytesIO
from pathlib import Path

import imagehash
import pytest
from PIL import Image

from tests.support.client import Client
from tests.support.photo_server import INSIDE, PhotoServer, picture
from tests.support.site_jobs import objects_url, stored_keys
from tests.support.url_images import created, md5_of, original, record
from tests.support.waiting import WAIT_S, until_equal

RED, BLUE = picture("red"), picture("blue", size=(64, 20))


async def put(client: Client, image_id: str, url: str, method: str = "PUT", **fields: str) -> tuple[int, str]:
    body = BytesIO(json.dumps({"image_url": url, **fields}).encode())  # may be long
    kind = {"Content-Type": "application/json"}
    answer = await client.call(method, f"/api/images/{image_id}/", data=body, headers=kind)
    return answer.status, "" if answer.status < 300 else answer.code


async def keys_of(client: Client) -> list[str]:
    """Return all keys that the store holds for an account."""
    return [
        key for key in await stored_keys(objects_url(client.site)) if key.startswith(f"{client.username}/")
    ]


async def count_of(client: Client, image_id: str) -> int:
    """Return the number of objects of an image; the former one goes right after a replacement's end."""
    return len([key for key in await stored_keys(objects_url(client.site)) if image_id in key])


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_another_url_replaces_everything_that_is_known(
    client: Client, photo_server: PhotoServer, method: str
) -> None:
    old = await created(client, photo_server.serve("/red.jpg", RED))
    url = photo_server.serve("/blue.jpg", BLUE)
    assert await put(client, old["id"], url, method) == (200, "")
    new = await record(client, old["id"])
    assert (new["source_url"], new["md5"], new["width"]) == (url, md5_of(BLUE), 64)
    assert new["phash"] == str(imagehash.phash(Image.open(BytesIO(BLUE))))
    assert (new["filename"], new["created_at"]) == (old["filename"], old["created_at"])
    assert new["updated_at"] > old["updated_at"]
    assert await original(client, old["id"]) == BLUE
    assert (await client.get(f"/api/images/{old['id']}/metadata")).json["phash"] == new["phash"]
    await until_equal(1, lambda: count_of(client, old["id"]))
    assert (await client.call("DELETE", f"/api/images/{old['id']}")).status == 200
    assert await count_of(client, old["id"]) == 0
    assert (await client.get("/api/images")).json == []


async def test_downloads_see_one_file_or_the_other_while_it_is_replaced(client: Client) -> None:
    image = (await client.upload(RED, wait_s=60)).json["id"]
    replaced = asyncio.Event()

    async def downloads() -> set[bytes]:
        seen: set[bytes] = set()
        while not replaced.is_set():
            answer = await client.get(f"/api/images/{image}/download?version=original")
            assert answer.status == 200, answer.body
            seen.add(answer.body)
        return seen

    readers = [asyncio.create_task(downloads()) for _ in range(4)]
    for content in [BLUE, RED] * 6:
        url = f"data:image/png;base64,{base64.b64encode(content).decode()}"
        assert await put(client, image, url) == (200, "")
    replaced.set()
    for reader in readers:
        assert await reader <= {RED, BLUE}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_the_bytes_of_a_data_url_replace_everything_too(
    client: Client, photo: Path, method: str
) -> None:
    data = photo.read_bytes() * 12  # longer than an ordinary JSON body may be
    assert len(data) > 1_000_000
    old = (await client.upload(RED, wait_s=60)).json
    url = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
    assert await put(client, old["id"], url, method, filename="rocket.png", retention="ephemeral") == (
        200,
        "",
    )
    (new,) = (await client.get("/api/images")).json
    assert (new["id"], new["md5"], new["size_bytes"], new["width"]) == (
        old["id"],
        md5_of(data),
        len(data),
        640,
    )
    assert (new["filename"], new["source_url"], new["retention"]) == ("rocket.jpg", None, "ephemeral")
    assert new["phash"] == str(imagehash.phash(Image.open(photo)))
    assert await original(client, old["id"]) == data
    assert (await client.get(f"/api/images/{old['id']}/metadata")).json["phash"] == new["phash"]
    await until_equal(1, lambda: count_of(client, old["id"]))

    async def stored() -> int:
        return len(await keys_of(client))

    await until_equal(1, stored)  # the staged upload goes last


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        ("data:text/plain,hello", 415, "not_an_image"),
        ("data:image/jpeg;base64,a", 415, "url_not_an_image"),
        ("data:image/jpeg;base64,{half}", 422, "image_truncated"),
    ],
)
async def test_a_data_url_that_is_no_image_leaves_the_record_whole(
    client: Client, url: str, status: int, code: str
) -> None:
    old = (await client.upload(RED, wait_s=60)).json
    half = base64.b64encode(picture(size=(640, 480))[:4000]).decode()
    assert await put(client, old["id"], url.replace("{half}", half), filename="new.jpg") == (status, code)
    assert (await client.get("/api/images")).json == [old]
    assert await original(client, old["id"]) == RED
    async with asyncio.timeout(WAIT_S):  # the upload goes with the next tick
        while len(await keys_of(client)) > 1:
            await asyncio.sleep(0.05)


async def test_a_data_url_that_replaces_has_the_limits_of_an_upload(limited_client: Client) -> None:
    old = (await limited_client.upload(RED, wait_s=60)).json
    for size, code in ((2_000_001, "url_too_large"), (4_000_000, "upload_too_large")):
        url = f"data:image/jpeg;base64,{base64.b64encode(bytes(size)).decode()}"
        for method in ("PUT", "PATCH"):
            assert await put(limited_client, old["id"], url, method) == (413, code)
    assert (await limited_client.get("/api/images")).json == [old]


async def test_an_upload_can_be_replaced_and_renamed_in_one_step(
    client: Client, photo_server: PhotoServer
) -> None:
    old = (await client.upload(RED, wait_s=60)).json
    url = photo_server.serve("/blue.jpg", BLUE)
    assert await put(client, old["id"], url, filename="sky.gif", retention="ephemeral") == (200, "")
    new = await record(client, old["id"])
    assert (new["md5"], new["filename"], new["retention"]) == (md5_of(BLUE), "sky.jpg", "ephemeral")
    assert new["expires_at"]


async def test_what_was_made_of_the_former_bytes_is_not_handed_out_for_the_new(
    client: Client, photo_server: PhotoServer
) -> None:
    old = await created(
        client,
        photo_server.serve("/red.jpg", RED),
        operations=[{"op": "resize", "width": 10}],
        retention="keep",
    )
    assert await put(client, old["id"], photo_server.serve("/blue.jpg", BLUE)) == (200, "")
    new = await record(client, old["id"])
    assert (new["md5"], new["result"]) == (md5_of(BLUE), None)
    assert (await client.get(f"/api/images/{old['id']}/download")).body == BLUE
    assert (await record(client, old["result"]["id"]))["width"] == 10


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/status/404", "url_http_error"),
        ("/status/503", "url_http_error"),
        ("/endless", "url_too_large"),
        ("/cut", "url_unreachable"),
        ("/page", "url_not_an_image"),
        ("/half", "image_truncated"),
        ("/to-inside", "url_forbidden"),
    ],
)
async def test_a_fetch_that_fails_leaves_the_record_whole(
    client: Client, photo_server: PhotoServer, path: str, code: str
) -> None:
    photo_server.serve("/page", b"<html>")
    photo_server.serve("/half", picture(size=(640, 480))[:4000])
    photo_server.redirect("/to-inside", f"http://{INSIDE}:{photo_server.port}/")
    old = await created(client, photo_server.serve("/red.jpg", RED))
    status, found = await put(client, old["id"], photo_server.url(path), filename="new.jpg")
    assert (status, found) == (status, code)
    assert status >= 400
    assert await record(client, old["id"]) == old
    assert await original(client, old["id"]) == RED
    newest = (await client.get("/api/jobs")).json[0]
    assert (newest["image_id"], newest["error_code"]) == (old["id"], code)


async def test_the_same_url_is_fetched_again_only_if_it_changed(
    client: Client, photo_server: PhotoServer
) -> None:
    old = await created(client, photo_server.serve("/same.jpg", RED))
    assert await put(client, old["id"], old["source_url"]) == (200, "")
    assert "If-None-Match" in photo_server.headers
    unchanged = await record(client, old["id"])
    assert unchanged | {"updated_at": None} == old | {"updated_at": None}
    photo_server.serve("/same.jpg", BLUE)
    assert await put(client, old["id"], old["source_url"], "PATCH") == (200, "")
    assert (await record(client, old["id"]))["md5"] == md5_of(BLUE)
    assert await put(client, old["id"], photo_server.serve("/other.jpg", BLUE)) == (200, "")
    assert "If-None-Match" not in photo_server.headers


async def test_of_replacements_at_once_the_losers_get_a_conflict(
    client: Client, photo_server: PhotoServer
) -> None:
    old = await created(client, photo_server.serve("/red.jpg", RED))
    urls = [photo_server.serve(f"/{name}.jpg", picture(name)) for name in ("blue", "green", "white")]
    ends = await asyncio.gather(*(put(client, old["id"], url) for url in urls))
    assert (200, "") in ends
    assert set(ends) <= {(200, ""), (409, "image_changed")}
    new = await record(client, old["id"])
    assert new["source_url"] in urls
    assert md5_of(await original(client, old["id"])) == new["md5"]
    await until_equal(1, lambda: count_of(client, old["id"]))


async def test_only_the_owner_replaces(client: Client, photo_server: PhotoServer) -> None:
    async with Client(client.site) as other_client:
        await other_client.register()
        await other_client.login()
        old = await created(client, photo_server.serve("/red.jpg", RED))
        assert await put(other_client, old["id"], old["source_url"]) == (404, "image_not_found")
