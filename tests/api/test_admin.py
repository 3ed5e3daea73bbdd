"""The admin pages: for accounts marked `admin`, and nobody else."""

import re
from collections.abc import AsyncIterator
from uuid import uuid4

import aiohttp
import pytest

from tests.support.client import PASSWORD, Client
from tests.support.site import Site


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[aiohttp.ClientSession]:
    """Keeps cookies, and has been given that of the CSRF protection."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(f"{site.url}/admin/", cookie_jar=jar) as session:
        async with session.get("") as page:
            assert page.status == 200
        yield session


async def log_in(browser: aiohttp.ClientSession, username: str) -> int:
    [token] = [cookie.value for cookie in browser.cookie_jar if cookie.key == "csrftoken"]
    body = {"username": username, "password": PASSWORD}
    async with browser.post("public/login/", json=body, headers={"X-CSRFToken": token}) as answer:
        return answer.status


async def status_of(browser: aiohttp.ClientSession, path: str) -> int:
    async with browser.get(path) as answer:
        return answer.status


async def test_an_admin_made_by_the_command_sees_the_tables(
    site: Site, browser: aiohttp.ClientSession
) -> None:
    name = f"admin-{uuid4().hex[:8]}"
    await site.run("create-admin", "--username", name, "--password", PASSWORD)
    assert await status_of(browser, "api/tables/") in (401, 403)
    assert await log_in(browser, name) == 200
    assert await status_of(browser, "api/tables/") == 200
    async with browser.get(f"api/tables/piccolo_user/?username={name}") as rows:
        assert rows.status == 200
        assert [row["username"] for row in (await rows.json())["rows"]] == [name]
        assert "pbkdf2" not in await rows.text()


async def test_an_ordinary_account_sees_nothing_there(
    resident: Client, browser: aiohttp.ClientSession
) -> None:
    await log_in(browser, resident.username)
    for path in ("api/user/", "api/tables/", "api/tables/piccolo_user/", "api/tables/image/", "api/forms/"):
        assert await status_of(browser, path) == 401


async def test_a_login_without_the_csrf_token_is_refused(
    resident: Client, browser: aiohttp.ClientSession
) -> None:
    body = {"username": resident.username, "password": PASSWORD}
    async with browser.post("public/login/", json=body) as answer:
        assert answer.status == 403


async def test_the_address_without_a_slash_leads_there_and_the_page_is_whole(site: Site) -> None:
    async with Client(site) as client:
        away = await client.get("/admin", allow_redirects=False)
        assert (away.status, away.headers["Location"]) == (302, "admin/")
        page = await client.get("/admin")
        assert page.status == 200
        for asset in re.findall(r'(?:src|href)="\./([^"]+)"', page.body.decode()):
            assert (await client.get(f"/admin/{asset}")).status == 200
