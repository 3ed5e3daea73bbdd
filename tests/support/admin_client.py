"""Somebody at the admin pages, without a browser."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.support.client import PASSWORD, Answer
from tests.support.site import Site


class AdminClient:
    """Keeps cookies, and sends the token of the CSRF protection as the pages do."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def cookie(self, name: str) -> str:
        return next((one.value for one in self._session.cookie_jar if one.key == name), "")

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        headers = {"X-CSRFToken": self.cookie("csrftoken"), **options.pop("headers", {})}
        async with self._session.request(method, path, headers=headers, **options) as answer:
            return Answer(answer.status, answer.headers.copy(), await answer.read())

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.call("GET", path, **options)

    async def log_in(self, username: str, password: str = PASSWORD, **options: Any) -> int:
        body = {"username": username, "password": password}
        return (await self.call("POST", "public/login/", json=body, **options)).status

    async def rows(self, table: str, **wanted: str) -> list[dict[str, Any]]:
        answer = await self.get(f"api/tables/{table}/", params=wanted)
        assert answer.status == 200, answer
        return answer.json["rows"]


@asynccontextmanager
async def open_admin_client(site: Site) -> AsyncGenerator[AdminClient]:
    """Somebody who has opened the pages."""
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(f"{site.url}/admin/", cookie_jar=jar) as session:
        browser = AdminClient(session)
        assert (await browser.get("")).status == 200
        yield browser
