"""The admin pages: records, thumbnails, actions and the start page."""

from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image

from tests.support.admin_client import AdminClient, open_admin_client
from tests.support.client import PASSWORD, Client
from tests.support.shared_sites import NewSite
from tests.support.site import Site
from tests.support.site_contents import assert_untrusted, object_keys

EMBEDDED = pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
TOO_LARGE = {"op": "crop", "x": 0, "y": 0, "width": 9000, "height": 9000}
RECORDS = (
    *("image", "job", "batch", "product_image", "webhook_delivery", "refresh_token"),
    *("preset", "delivery_key", "rendition"),
)


async def test_an_admin_made_by_the_command_sees_the_tables(browser: AdminClient, operator: str) -> None:
    assert (await browser.get("api/tables/")).status in (401, 403)
    assert await browser.log_in(operator) == 200
    shown = (await browser.get("api/tables/")).json
    assert set(shown) == {*RECORDS, "piccolo_user", "webhook_endpoint", "api_key", "upload_token"}
    answer = await browser.get("api/tables/piccolo_user/", params={"username": operator})
    assert [row["username"] for row in answer.json["rows"]] == [operator]
    assert b"pbkdf2" not in answer.body


async def test_an_operator_sees_a_key_without_its_digest_and_revokes_it(
    client: Client, browser: AdminClient, operator: str
) -> None:
    made = (await client.post("/accounts/me/keys", json={"name": "ci", "scopes": ["account"]})).json
    await browser.log_in(operator)
    address = f"api/tables/api_key/{made['id']}/"
    shown = await browser.get(address)
    assert (shown.json["name"], shown.json["digest"]) == ("ci", None)
    assert (await browser.call("PATCH", address, json={"scopes": "jobs"})).status == 405
    assert (await browser.call("DELETE", address)).status == 204
    answer = await client.get("/accounts/me", token=made["key"])
    assert (answer.status, answer.code) == (401, "api_key_invalid")


async def test_an_operator_sees_an_upload_token_without_its_digest_and_revokes_it(
    client: Client, browser: AdminClient, operator: str, small_picture: bytes
) -> None:
    made = (await client.post("/api/upload-tokens", json={"count": 2, "tags": ["shop"]})).json
    assert (
        await client.upload(small_picture, headers={"Authorization": f"Bearer {made['token']}"})
    ).status == 201
    await browser.log_in(operator)
    address = f"api/tables/upload_token/{made['id']}/"
    shown = (await browser.get(address)).json
    assert (shown["allowed"], shown["used"], shown["digest"]) == (2, 1, None)
    assert shown["token_id"] == made["prefix"].removeprefix("dut_")
    assert '"shop"' in shown["terms"]
    listed = (await browser.get("api/tables/upload_token/")).json["rows"]
    assert made["id"] in [row["id"] for row in listed]
    for method in ("PATCH", "PUT"):
        assert (await browser.call(method, address, json={"allowed": 9})).status == 405
    assert (await browser.call("POST", "api/tables/upload_token/", json={})).status in (400, 405)
    assert (await browser.call("DELETE", "api/tables/upload_token/")).status == 405
    assert (await browser.get("admin-api/access/")).json["upload_token"] == {
        "edit": [],
        "add": False,
        "delete": True,
    }
    assert (await browser.call("DELETE", address)).status == 204
    answer = await client.upload(small_picture, headers={"Authorization": f"Bearer {made['token']}"})
    assert (answer.status, answer.code) == (401, "upload_token_invalid")


async def test_an_operator_sees_a_delivery_key_without_its_secret(
    client: Client, browser: AdminClient, operator: str
) -> None:
    made = (await client.post("/accounts/me/delivery-keys", json={"name": "shop"})).json
    await browser.log_in(operator)
    for address in (f"api/tables/delivery_key/{made['id']}/", "api/tables/delivery_key/"):
        shown = await browser.get(address)
        assert shown.status == 200
        assert made["key"].encode() in shown.body
        assert made["secret"].encode() not in shown.body
    assert (await browser.call("DELETE", f"api/tables/delivery_key/{made['id']}/")).status == 405


@pytest.mark.parametrize(
    "query",
    [
        "error_code=" + "9" * 400,
        "__order=nothing",
        "__page=" + str(2**63),
        "summary=" + "[" * 5000,
        "owner=%00",
    ],
)
async def test_a_list_by_an_invalid_value_is_refused(admin: AdminClient, query: str) -> None:
    answer = await admin.get(f"api/tables/job/?{query}")
    assert answer.status in (400, 422), answer


@pytest.mark.parametrize("body", [b"[" * 100_000, b"no json", b'"text"', b'{"username": "\\ud800"}'])
async def test_a_body_that_cannot_be_decoded_is_refused(admin: AdminClient, body: bytes) -> None:
    me = (await admin.get("api/user/")).json["user_id"]
    for method, path in (
        ("POST", "public/login/"),
        ("POST", "api/tables/piccolo_user/"),
        ("PATCH", f"api/tables/piccolo_user/{me}/"),
        ("POST", "admin-api/images/delete/"),
    ):
        answer = await admin.call(method, path, data=body, headers={"Content-Type": "application/json"})
        assert answer.status == 400, (path, answer)


@pytest.mark.parametrize("table", RECORDS)
async def test_records_can_neither_be_added_nor_changed_nor_removed(
    admin: AdminClient, client: Client, small_picture: bytes, table: str
) -> None:
    made = await client.upload(small_picture, [TOO_LARGE], filename="small.png")
    await client.job_done(made.json["job_id"])
    rows = await admin.rows(table)
    row_id = rows[0]["id"] if rows else str(uuid4())
    missing = {404} if not rows else set[int]()
    assert (await admin.call("POST", f"api/tables/{table}/", json={})).status in {400, 405}
    for method in ("PUT", "PATCH", "DELETE"):
        answer = await admin.call(method, f"api/tables/{table}/{row_id}/", json={})
        assert answer.status in {405} | missing, (method, answer)
    assert (await admin.call("DELETE", f"api/tables/{table}/")).status == 405
    if rows:
        assert await admin.rows(table, id=row_id)


async def test_rows_are_found_by_status_owner_and_date(
    admin: AdminClient, client: Client, small_picture: bytes
) -> None:
    failed = (await client.upload(small_picture, [TOO_LARGE], filename="small.png")).json["job_id"]
    await client.job_done(failed)
    await client.upload(small_picture, filename="small.png", wait_s=60)
    [me] = await admin.rows("piccolo_user", username=client.username)
    mine = await admin.rows("job", owner=str(me["id"]))
    assert {job["kind"] for job in mine} == {"transform", "describe"}
    [found] = await admin.rows("job", owner=str(me["id"]), status="failed")
    assert found["id"] == failed
    made_at = found["created_at"]
    for operator, expected in (("gte", True), ("lt", False)):
        dated = await admin.rows(
            "job", owner=str(me["id"]), created_at=made_at, created_at__operator=operator
        )
        assert (failed in {job["id"] for job in dated}) == expected


async def test_a_thumbnail_is_small_made_once_and_goes_with_its_image(
    site: Site, admin: AdminClient, client: Client, photo: Path
) -> None:
    record = (await client.upload(photo, wait_s=60)).json
    path = f"admin-api/images/{record['id']}/thumbnail/"
    first, second = await admin.get(path), await admin.get(path)
    assert (first.status, first.headers["Content-Type"]) == (200, "image/webp")
    assert_untrusted(first)
    assert first.body == second.body
    assert len(first.body) < record["size_bytes"] / 5
    with Image.open(BytesIO(first.body)) as picture:
        assert picture.size == (400, 267)
    fresh = {"If-None-Match": first.headers["ETag"]}
    assert (await admin.get(path, headers=fresh)).status == 304
    [kept] = [key for key in await object_keys(site, ".thumbnails/") if record["id"] in key]
    assert (await client.call("DELETE", f"/api/images/{record['id']}")).status == 200
    assert kept not in await object_keys(site, ".thumbnails/")
    assert (await admin.get(path)).status == 404


async def test_a_view_by_an_operator_does_not_count_as_a_download(
    admin: AdminClient, client: Client, photo: Path
) -> None:
    record = (await client.upload(photo, [{"op": "grayscale"}], wait_s=60)).json
    whole = await admin.get(f"admin-api/images/{record['id']}/file/")
    assert (whole.status, whole.body, whole.headers["Content-Type"]) == (
        200,
        photo.read_bytes(),
        "image/jpeg",
    )
    assert_untrusted(whole)
    seen = (await client.get(f"/api/images/{record['id']}")).json
    assert seen["first_downloaded_at"] is None


async def test_a_picture_that_cannot_be_read_has_no_thumbnail(
    admin: AdminClient, client: Client, cut_photo: bytes
) -> None:
    record = (await client.upload(cut_photo, retention="ephemeral")).json
    answer = await admin.get(f"admin-api/images/{record['id']}/thumbnail/")
    assert (answer.status, answer.json["code"]) == (422, "image_truncated")


async def test_only_a_failed_job_runs_again(admin: AdminClient, client: Client, small_picture: bytes) -> None:
    failed = (await client.upload(small_picture, [TOO_LARGE], filename="small.png")).json["job_id"]
    await client.job_done(failed)
    assert (await admin.call("POST", f"admin-api/jobs/{failed}/retry/")).status == 200
    again = await client.job_done(failed)
    assert (again["status"], again["attempts"], again["error_code"]) == ("failed", 2, "crop_outside")
    done = (await client.upload(small_picture, [{"op": "grayscale"}], filename="small.png", wait_s=60)).json[
        "job_id"
    ]
    refused = await admin.call("POST", f"admin-api/jobs/{done}/retry/")
    assert (refused.status, refused.json["code"]) == (409, "job_not_failed")
    assert (await admin.call("POST", f"admin-api/jobs/{uuid4()}/retry/")).status == 404


async def test_images_of_any_account_are_deleted_at_once(
    site: Site, admin: AdminClient, client: Client, small_picture: bytes
) -> None:
    made = [
        (await client.upload(small_picture, filename=f"{at}.png", wait_s=60)).json["id"] for at in range(2)
    ]
    answer = await admin.call("POST", "admin-api/images/delete/", json={"ids": [*made, str(uuid4())]})
    assert (answer.status, answer.json) == (200, {"deleted": 2})
    assert (await client.get("/api/images")).json == []
    assert await object_keys(site, f"{client.username}/") == frozenset()
    assert (await admin.call("POST", "admin-api/images/delete/", json={"ids": ["no"]})).status == 400
    many = [str(uuid4()) for _ in range(101)]
    assert (await admin.call("POST", "admin-api/images/delete/", json={"ids": many})).status == 400


async def test_the_start_page_counts_what_there_is(new_site: NewSite, small_picture: bytes) -> None:
    site = await new_site()
    await site.run("create-admin", "--username", "root", "--password", PASSWORD)
    async with Client(site) as client:
        await client.register()
        await client.login()
        await client.upload(small_picture, filename="small.png", wait_s=60)
        failed = (await client.upload(small_picture, [TOO_LARGE], filename="small.png")).json["job_id"]
        await client.job_done(failed)
        async with open_admin_client(site) as browser:
            await browser.log_in("root")
            overview = (await browser.get("admin-api/overview/")).json
    expected = {
        "images": 2,
        "stored_bytes": 2 * len(small_picture),
        "ephemeral": 1,
        "accounts": 2,
        "completed_jobs": 1,
    }
    assert {name: overview["counts"][name] for name in expected} == expected
    assert overview["failures"] == [{"error_code": "crop_outside", "jobs": 1}]
    assert overview["queues"] == []
