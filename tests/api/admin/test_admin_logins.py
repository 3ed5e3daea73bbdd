"""Who may use the admin pages, and what protects their sessions."""

import re
from uuid import uuid4

import aiohttp
import pytest

from tests.support.admin_client import AdminClient, open_admin_client
from tests.support.client import PASSWORD, Answer, Client
from tests.support.shared_sites import NewSite
from tests.support.site import Site

EMBEDDED = pytest.mark.parametrize("new_site", ["embedded"], indirect=True)


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
