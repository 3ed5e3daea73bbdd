"""Addresses that older and today's clients share: the trailing slash decides which names the answer has."""

import json
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from tests.support.client import PASSWORD, Answer, Client
from tests.support.site import Site
from tests.support.site_contents import refused

IMAGE_NAMES = {"image_url": "source_url", "md5_hash": "md5", "image_format": "format", "detail_url": "url"}
GRAY = [{"op": "grayscale"}]
STEPS = [{"operation_type": "filter", "parameters": {"type": "grayscale"}}]
DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def upload_form(image: bytes, operations: object = None, *, name: str = "image") -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field(name, image, filename="photo.jpg")
    if operations is not None:
        form.add_field("operations", json.dumps(operations))
    return form


def assert_todays_names(image: dict[str, Any]) -> None:
    assert not IMAGE_NAMES.keys() & image.keys()
    if image["result"] is not None:
        assert_todays_names(image["result"])


def assert_older_names_beside_todays(image: dict[str, Any], today: dict[str, Any]) -> None:
    assert image.keys() == today.keys() | IMAGE_NAMES.keys()
    expected = {name: image[same] for name, same in IMAGE_NAMES.items()}
    if expected["image_format"] == "jpeg":
        expected["image_format"] = "jpg"
    assert {name: image[name] for name in IMAGE_NAMES} == expected
    if today["result"] is not None:
        assert_older_names_beside_todays(image["result"], today["result"])


async def test_reading_an_image_and_a_list(client: Client, small_picture: bytes) -> None:
    made = await client.upload(small_picture, GRAY, retention="keep", wait_s=30)
    assert made.status == 201
    for image_id in (made.json["id"], made.json["result"]["id"]):
        await client.until_hashed(image_id)  # what a kept image becomes after its job
    path = f"/api/images/{made.json['id']}"
    today, older = (await client.get(path)).json, (await client.get(f"{path}/")).json
    assert today["result"] is not None
    assert_todays_names(today)
    assert_older_names_beside_todays(older, today)
    assert {name: older[name] for name in today if name != "result"} == {
        name: today[name] for name in today if name != "result"
    }
    for plain, slashed in zip(
        (await client.get("/api/images")).json, (await client.get("/api/images/")).json, strict=True
    ):
        assert_todays_names(plain)
        assert_older_names_beside_todays(slashed, plain)


async def test_uploads_with_and_without_a_result(client: Client, small_picture: bytes) -> None:
    for operations, wait_s, status in ((None, 0, 201), (GRAY, 0, 202), (GRAY, 30, 201)):
        headers = {"Prefer": f"wait={wait_s}"}
        today, older = [
            await client.post(path, data=upload_form(small_picture, operations), headers=headers)
            for path in ("/api/images", "/api/images/")
        ]
        assert (today.status, older.status) == (status, status)
        assert_todays_names(today.json)
        assert_older_names_beside_todays(older.json, today.json)


async def test_uploads_of_a_url(client: Client) -> None:
    today, older = [
        await client.post(path, json={"image_url": DOT}) for path in ("/api/images", "/api/images/")
    ]
    assert (today.status, older.status) == (201, 201)
    assert_todays_names(today.json)
    assert_older_names_beside_todays(older.json, today.json)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_changing_an_image(client: Client, small_picture: bytes, method: str) -> None:
    path = f"/api/images/{(await client.upload(small_picture)).json['id']}"
    today, older = [
        await client.call(method, address, json={"image_url": DOT}) for address in (path, f"{path}/")
    ]
    assert (today.status, older.status) == (200, 200)
    assert_todays_names(today.json)
    assert_older_names_beside_todays(older.json, today.json)


async def test_an_image_is_read_by_post_with_the_older_names(client: Client, small_picture: bytes) -> None:
    path = f"/api/images/{(await client.upload(small_picture)).json['id']}"
    today = (await client.get(path)).json
    for address in (path, f"{path}/"):
        assert_older_names_beside_todays((await client.post(address)).json, today)


async def test_an_answer_that_is_given_again_has_the_names_of_its_address(
    client: Client, small_picture: bytes
) -> None:
    for path in ("/api/images", "/api/images/"):
        headers = {"Idempotency-Key": str(uuid4())}
        first, again = [
            await client.post(path, data=upload_form(small_picture, GRAY), headers=headers) for _ in range(2)
        ]
        assert again.headers["Idempotency-Replayed"] == "true"
        assert (again.json["id"], again.json.keys()) == (first.json["id"], first.json.keys())
        assert (IMAGE_NAMES.keys() <= again.json.keys()) == path.endswith("/")


async def test_the_next_page_of_a_list_has_the_slash_of_the_first(
    client: Client, small_picture: bytes
) -> None:
    for _ in range(2):
        await client.upload(small_picture)
    for path in ("/api/images", "/api/images/"):
        first = await client.get(f"{path}?limit=1")
        following = first.headers["Link"].partition(">")[0].strip("<")
        assert following.startswith(f"{client.site.url}{path}?limit=1&after=")
        [image] = (await client.get(following)).json
        assert (IMAGE_NAMES.keys() <= image.keys()) == path.endswith("/")


async def test_the_form_of_a_pipeline_is_taken_with_the_slash_alone(
    client: Client, small_picture: bytes
) -> None:
    for name, operations in (("original_image", STEPS), ("original_image", GRAY), ("image", STEPS)):
        form = {"data": upload_form(small_picture, operations, name=name)}
        refused(await client.post("/api/images", **form), 400, "invalid_request")
        form = {"data": upload_form(small_picture, operations, name=name)}
        assert (await client.post("/api/images/", **form)).status == 202


async def test_deleting_an_image_is_the_same_with_a_slash(client: Client, small_picture: bytes) -> None:
    for slash in ("", "/"):
        path = f"/api/images/{(await client.upload(small_picture)).json['id']}"
        gone = await client.call("DELETE", path + slash)
        assert (gone.status, gone.json) == (200, {"message": "Record deleted successfully"})
        refused(await client.get(path), 404, "image_not_found")


# Accounts


def new_account() -> dict[str, str]:
    name = f"user-{uuid4().hex[:12]}"
    return {"username": name, "email": f"{name}@example.org", "password": PASSWORD}


async def test_a_new_account(site: Site) -> None:
    async with Client(site) as stranger:
        today = await stranger.post("/accounts/register", json=new_account())
        older = await stranger.post("/accounts/register/", json=new_account())
    assert (today.status, older.status) == (201, 201)
    assert today.json.keys() == {"id", "username", "email", "last_login", "admin"}
    assert older.json.keys() == today.json.keys() | {"message", "data"}
    assert older.json["data"] == {name: older.json[name] for name in today.json}


async def test_a_login(client: Client) -> None:
    credentials = {"username": client.username, "password": PASSWORD}
    today = (await client.post("/accounts/login", json=credentials)).json
    older = (await client.post("/accounts/login/", json=credentials)).json
    assert today.keys() == {"access_token", "refresh_token", "expires_in", "token_type"}
    assert older.keys() == today.keys() | {"access", "refresh"}
    assert (older["access"], older["refresh"]) == (older["access_token"], older["refresh_token"])


async def test_refresh_tokens(client: Client) -> None:
    today = await client.post("/accounts/refresh", json={"refresh_token": client.refresh_token})
    assert today.status == 200
    assert today.json.keys() == {"access_token", "refresh_token", "expires_in", "token_type"}
    older = await client.post("/accounts/refresh/", json={"refresh_token": today.json["refresh_token"]})
    assert older.json.keys() == today.json.keys() | {"access", "refresh"}
    kept = {"refresh": (await client.login()).json["refresh_token"]}
    assert (await client.post("/accounts/refresh/", json=kept)).json["refresh"] == kept["refresh"]
    refused(await client.post("/accounts/refresh", json=kept), 400, "invalid_request")


@pytest.mark.parametrize(
    ("path", "name", "status"),
    [
        ("/accounts/logout", "refresh_token", 204),
        ("/accounts/logout", "refresh", 400),
        ("/accounts/logout/", "refresh_token", 204),
        ("/accounts/logout/", "refresh", 205),
    ],
)
async def test_a_logout(client: Client, path: str, name: str, status: int) -> None:
    answer: Answer = await client.post(path, json={name: client.refresh_token})
    assert answer.status == status
    assert (await client.get("/accounts/me")).status == (200 if status == 400 else 401)
