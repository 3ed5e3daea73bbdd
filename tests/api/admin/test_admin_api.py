"""The admin pages: for accounts marked `admin`, and nobody else."""

import re
from collections.abc import AsyncIterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from PIL import Image

from tests.support.admin_client import AdminClient, open_admin_client
from tests.support.client import PASSWORD, Answer, Client
from tests.support.shared_sites import NewSite
from tests.support.site import Site
from tests.support.site_contents import object_keys

EMBEDDED = pytest.mark.parametrize("new_site", ["embedded"], indirect=True)
TOO_LARGE = {"op": "crop", "x": 0, "y": 0, "width": 9000, "height": 9000}
RECORDS = ("image", "job", "batch", "product_image", "webhook_delivery", "refresh_token")


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[AdminClient]:
    """Somebody who has opened the pages."""
    async with open_admin_client(site) as one:
        yield one


@pytest.fixture(scope="session")
async def operator(site: Site) -> str:
    """The name of an account made by the command."""
    name = f"admin-{uuid4().hex[:8]}"
    await site.run("create-admin", "--username", name, "--password", PASSWORD)
    return name


@pytest.fixture
async def admin(browser: AdminClient, operator: str) -> AdminClient:
    """An operator who has logged in."""
    assert await browser.log_in(operator) == 200
    return browser


async def test_an_admin_made_by_the_command_sees_the_tables(browser: AdminClient, operator: str) -> None:
    assert (await browser.get("api/tables/")).status in (401, 403)
    assert await browser.log_in(operator) == 200
    shown = (await browser.get("api/tables/")).json
    assert set(shown) == {*RECORDS, "piccolo_user", "webhook_endpoint"}
    answer = await browser.get("api/tables/piccolo_user/", params={"username": operator})
    assert [row["username"] for row in answer.json["rows"]] == [operator]
    assert b"pbkdf2" not in answer.body


async def test_an_ordinary_account_cannot_even_log_in(
    shared_client: Client, browser: AdminClient, small_picture: bytes
) -> None:
    image = (await shared_client.upload(small_picture, filename="small.png")).json["id"]
    assert await browser.log_in(shared_client.username) == 401
    assert browser.cookie("id") == ""
    for path in (
        "api/user/",
        "api/tables/",
        "api/tables/piccolo_user/",
        "api/tables/image/",
        "api/forms/",
        "admin-api/overview/",
        f"admin-api/images/{image}/thumbnail/",
        f"admin-api/images/{image}/file/",
    ):
        assert (await browser.get(path)).status == 401, path
    assert (await browser.call("POST", "admin-api/images/delete/", json={"ids": [image]})).status == 401
    assert (await shared_client.get(f"/api/images/{image}")).status == 200


async def test_an_operator_who_is_no_longer_active_is_out_at_once(
    site: Site, browser: AdminClient, admin: AdminClient
) -> None:
    name = f"admin-{uuid4().hex[:8]}"
    await site.run("create-admin", "--username", name, "--password", PASSWORD)
    async with open_admin_client(site) as second:
        assert await second.log_in(name) == 200
        [row] = await admin.rows("piccolo_user", username=name)
        path = f"api/tables/piccolo_user/{row['id']}/"
        assert (await admin.call("PATCH", path, json={"active": False})).status == 200
        assert (await second.get("api/tables/")).status == 401
        assert await second.log_in(name) == 401


async def test_a_login_without_the_csrf_token_is_refused(operator: str, browser: AdminClient) -> None:
    assert await browser.log_in(operator, headers={"X-CSRFToken": ""}) == 403
    assert await browser.log_in(operator, headers={"X-CSRFToken": "another"}) == 403


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


async def test_an_action_without_the_csrf_token_is_refused(admin: AdminClient) -> None:
    nothing = {"X-CSRFToken": ""}
    answer = await admin.call("POST", "admin-api/images/delete/", json={"ids": []}, headers=nothing)
    assert answer.status == 403


@EMBEDDED
async def test_logins_are_limited(new_site: NewSite) -> None:
    site = await new_site(LOGIN_LIMIT_PER_MINUTE="3")
    async with open_admin_client(site) as browser:
        found = [await browser.log_in("nobody", "wrong password") for _ in range(5)]
        assert found == [401, 401, 401, 429, 429]


@EMBEDDED
async def test_over_https_cookies_are_secure_and_other_sites_are_refused(new_site: NewSite) -> None:
    site = await new_site(PUBLIC_URL="https://pictures.example.org", TRUSTED_PROXIES="127.0.0.1")
    await site.run("create-admin", "--username", "root", "--password", PASSWORD)
    proxied = {"X-Forwarded-Proto": "https", "Host": "pictures.example.org"}
    async with aiohttp.ClientSession() as session:

        async def send(method: str, path: str, **headers: str) -> Answer:
            body = {"username": "root", "password": PASSWORD} if method == "POST" else None
            url = f"{site.url}/admin/{path}"
            async with session.request(method, url, json=body, headers={**proxied, **headers}) as answer:
                return Answer(answer.status, answer.headers.copy(), await answer.read())

        page = await send("GET", "")
        given = page.headers["Set-Cookie"]
        assert "; Secure" in given
        token = given.split(";")[0].removeprefix("csrftoken=")
        known = {"X-CSRFToken": token, "Cookie": f"csrftoken={token}"}
        assert (await send("POST", "public/login/", **known, Origin="https://evil.example")).status == 403
        entered = await send("POST", "public/login/", **known, Origin="https://pictures.example.org")
        assert entered.status == 200
        attributes = entered.headers["Set-Cookie"].lower()
        assert attributes.startswith("id=")
        assert all(word in attributes for word in ("secure", "httponly", "samesite=lax"))


async def test_the_pages_may_not_be_framed(browser: AdminClient) -> None:
    assert (await browser.get("")).headers["X-Frame-Options"] == "DENY"


async def test_the_address_without_a_slash_leads_there_and_the_page_is_whole(site: Site) -> None:
    async with Client(site) as client:
        away = await client.get("/admin", allow_redirects=False)
        assert (away.status, away.headers["Location"]) == (302, "admin/")
        page = await client.get("/admin")
        assert page.status == 200
        assets = re.findall(r'(?:src|href)="\./([^"]+)"', page.body.decode())
        assert {"page/admin.js", "page/admin.css"} <= set(assets)
        for asset in assets:
            assert (await client.get(f"/admin/{asset}")).status == 200


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
    assert first.headers["X-Content-Type-Options"] == "nosniff"
    assert first.body == second.body
    assert len(first.body) < record["size_bytes"] / 5
    with Image.open(BytesIO(first.body)) as picture:
        assert picture.size == (160, 107)
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


def account(**changes: Any) -> dict[str, Any]:
    name = f"user-{uuid4().hex[:8]}"
    fresh = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    return {**fresh, "active": True, "admin": False, "superuser": False, **changes}


async def logs_in(site: Site, username: str, password: str) -> bool:
    async with Client(site) as client:
        body = {"username": username, "password": password}
        return (await client.post("/accounts/login", json=body)).status == 200


async def test_an_account_is_made_and_its_password_changed_on_the_pages(
    site: Site, admin: AdminClient
) -> None:
    requested = account()
    made = await admin.call("POST", "api/tables/piccolo_user/", json=requested)
    assert made.status == 201
    row = f"api/tables/piccolo_user/{made.json['id']}/"
    assert await logs_in(site, requested["username"], PASSWORD)
    async with Client(site) as client:
        client.username = requested["username"]
        await client.login()
        changed = await admin.call(
            "PATCH", row, json={"password": "another long password", "first_name": "Ada"}
        )
        assert changed.status == 200
        assert b"password" not in changed.body or b"pbkdf2" not in changed.body
        assert (await client.get("/accounts/me")).status == 401  # its logins have ended
    assert not await logs_in(site, requested["username"], PASSWORD)
    assert await logs_in(site, requested["username"], "another long password")
    assert (await admin.call("PATCH", row, json={"password": "", "first_name": "Eve"})).status == 200
    assert await logs_in(site, requested["username"], "another long password")


async def test_the_former_name_of_a_renamed_account_is_kept_for_it(admin: AdminClient) -> None:
    requested, other = account(), account()
    created = await admin.call("POST", "api/tables/piccolo_user/", json=requested)
    row = f"api/tables/piccolo_user/{created.json['id']}/"
    for name in ("new-" + requested["username"], requested["username"], "new-" + requested["username"]):
        assert (await admin.call("PATCH", row, json={"username": name})).status == 200
    taken = await admin.call(
        "POST", "api/tables/piccolo_user/", json=other | {"username": requested["username"]}
    )
    assert taken.status == 400
    made = await admin.call("POST", "api/tables/piccolo_user/", json=other)
    theirs = f"api/tables/piccolo_user/{made.json['id']}/"
    assert (await admin.call("PATCH", theirs, json={"username": requested["username"]})).status == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"username": "../etc"},
        {"username": "inbox"},
        {"username": "deleted-1"},
        {"password": "short"},
        {"email": "no address"},
    ],
)
async def test_the_rules_for_accounts_hold_on_the_pages_too(
    admin: AdminClient, client: Client, changes: Mapping[str, str]
) -> None:
    refused = await admin.call("POST", "api/tables/piccolo_user/", json=account(**changes))
    assert refused.status in (400, 422)
    [me] = await admin.rows("piccolo_user", username=client.username)
    if "email" not in changes:
        path = f"api/tables/piccolo_user/{me['id']}/"
        assert (await admin.call("PATCH", path, json=dict(changes))).status == 400
        assert (await client.get("/accounts/me")).json["username"] == client.username


async def test_an_account_is_not_deleted_with_its_images_left_behind(
    admin: AdminClient, client: Client
) -> None:
    [me] = await admin.rows("piccolo_user", username=client.username)
    path = f"api/tables/piccolo_user/{me['id']}/"
    assert (await admin.call("DELETE", path)).status == 405
    assert (await admin.call("PUT", path, json=account(password="plain text"))).status == 405
    assert (await client.get("/accounts/me")).status == 200
